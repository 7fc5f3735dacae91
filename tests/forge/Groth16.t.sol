// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {FIELD_MODULUS} from "../../contracts/generated/Constants.sol";
import {IVerifier} from "../../contracts/interfaces/IVerifier.sol";
import {Bn254} from "../../contracts/libraries/Bn254.sol";
import {VM} from "./Vm.sol";
import {ToyVerifier, Toys} from "./generated/Toys.sol";

/// @notice Groth16 with proofs by snarkjs; what else may be tried with them is in tests/contracts/test_verify_many.py.
contract Groth16Test {
    using Bn254 for uint256[2];

    uint256 private constant Q = Bn254.BASE_FIELD_MODULUS;
    uint16 private constant SMALL = 2;
    uint16 private constant LARGE = 4;
    /// A precompile that refuses its input takes all that it was given.
    uint256 private constant GAS = 3_000_000;

    ToyVerifier private _verifier;

    function setUp() external {
        _verifier = new ToyVerifier();
    }

    function test_verify_proofsOfSnarkjs_areAccepted() external view {
        assert(_verifier.verify(SMALL, Toys.proof0(), Toys.inputs0()));
        assert(_verifier.verify(LARGE, Toys.proof1(), Toys.inputs1()));
        assert(!_verifier.verify(LARGE, Toys.proof0(), Toys.inputs0()));
        assert(!_verifier.verify(SMALL, Toys.proof0(), Toys.inputs1()));
        assert(_verifier.supportsSize(SMALL) && _verifier.supportsSize(LARGE) && !_verifier.supportsSize(3));
    }

    function test_verify_unknownSize_isRefused() external {
        bytes memory unknown = abi.encodeWithSelector(IVerifier.UnknownBlockSize.selector, 3);
        VM.expectRevert(unknown);
        _verifier.verify(3, Toys.proof0(), Toys.inputs0());
        VM.expectRevert(unknown);
        _verifier.keyHash(3);
    }

    function test_keyHash_isOfAllWords() external view {
        assert(_verifier.keyHash(SMALL) != _verifier.keyHash(LARGE));
    }

    function test_verify_anyWordChanged_isRefused() external view {
        for (uint256 i = 0; i < 8; ++i) {
            uint256[8] memory proof = Toys.proof0();
            proof[i] = addmod(proof[i], 1, Q);
            assert(!_verifier.verify{gas: GAS}(SMALL, proof, Toys.inputs0()));
        }
        for (uint256 i = 0; i < 3; ++i) {
            uint256[3] memory inputs = Toys.inputs0();
            inputs[i] = addmod(inputs[i], 1, FIELD_MODULUS);
            assert(!_verifier.verify(SMALL, Toys.proof0(), inputs));
        }
    }

    function test_verify_coordinateFromQ_isRefused() external view {
        for (uint256 i = 0; i < 8; ++i) {
            uint256[8] memory proof = Toys.proof0();
            proof[i] += Q;
            assert(!_verifier.verify{gas: GAS}(SMALL, proof, Toys.inputs0()));
            assert(!_many(SMALL, proof, Toys.inputs0()));
        }
    }

    function test_verify_zeroPoints_areRefused() external view {
        uint256[2] memory firsts = [uint256(0), 6];
        for (uint256 i = 0; i < 2; ++i) {
            uint256[8] memory proof = Toys.proof0();
            (proof[firsts[i]], proof[firsts[i] + 1]) = (0, 0);
            assert(!_verifier.verify(SMALL, proof, Toys.inputs0()));
            assert(!_many(SMALL, proof, Toys.inputs0()));
        }
    }

    function test_verify_inputFromR_isRefusedWithItsPlace() external {
        for (uint256 i = 0; i < 3; ++i) {
            uint256[3] memory inputs = Toys.inputs0();
            inputs[i] += FIELD_MODULUS;
            bytes memory refusal = abi.encodeWithSelector(IVerifier.InputNotInField.selector, i, inputs[i]);
            VM.expectRevert(refusal);
            _verifier.verify(SMALL, Toys.proof0(), inputs);
            inputs[i] = FIELD_MODULUS;
            VM.expectRevert(abi.encodeWithSelector(IVerifier.InputNotInField.selector, i, FIELD_MODULUS));
            _many(SMALL, Toys.proof0(), inputs);
        }
    }

    function test_verifyMany_setsOfSizes_areAccepted() external view {
        assert(_verifier.verifyMany(new uint16[](0), new uint256[8][](0), new uint256[3][](0)));
        (uint16[] memory sizes, uint256[8][] memory proofs, uint256[3][] memory inputs) = _set();
        assert(_verifier.verifyMany(sizes, proofs, inputs));
        assert(_many(SMALL, Toys.proof0(), Toys.inputs0()));
        assert(_many(LARGE, Toys.proof1(), Toys.inputs1()));
    }

    function test_verifyMany_oneFalseInAnyPlace_isRefused() external view {
        for (uint256 i = 0; i < 5; ++i) {
            (uint16[] memory sizes, uint256[8][] memory proofs, uint256[3][] memory inputs) = _set();
            inputs[i][i % 3] = addmod(inputs[i][i % 3], 1, FIELD_MODULUS);
            assert(!_verifier.verifyMany(sizes, proofs, inputs));
            (sizes, proofs, inputs) = _set();
            proofs[i][1] = Q - proofs[i][1];
            assert(!_verifier.verifyMany(sizes, proofs, inputs));
            (sizes, proofs, inputs) = _set();
            sizes[i] = sizes[i] == SMALL ? LARGE : SMALL;
            assert(!_verifier.verifyMany(sizes, proofs, inputs));
        }
    }

    /// @dev C and -C cancel in a plain sum of the equations: C + D and C - D do in one of two proofs.
    function test_verifyMany_errorsThatCancelInAPlainSum_areRefused() external view {
        (uint16[] memory sizes, uint256[8][] memory proofs, uint256[3][] memory inputs) = _set();
        uint256[2] memory error_ = [uint256(1), 2];
        uint256[2] memory plus = [proofs[0][6], proofs[0][7]].add(error_);
        uint256[2] memory minus = [proofs[2][6], proofs[2][7]].add(error_.negate());
        (proofs[0][6], proofs[0][7]) = (plus[0], plus[1]);
        (proofs[2][6], proofs[2][7]) = (minus[0], minus[1]);
        assert(!_verifier.verifyMany(sizes, proofs, inputs));
    }

    function test_precompiles_ofAPointOffTheCurve_fail() external {
        uint256[2] memory off = [uint256(1), 1];
        uint256[2] memory on = [uint256(1), 2];
        VM.expectRevert();
        this.addOf{gas: GAS}(off, on);
        VM.expectRevert();
        this.mulOf{gas: GAS}(off, 2);
        // By 1 nothing is computed.
        assert(this.mulOf(off, 1)[1] == 1);
        uint256[] memory pairs = new uint256[](Bn254.PAIR_WORDS);
        assert(this.isOneOf(pairs, 0) && this.isOneOf(pairs, 1));
        (pairs[0], pairs[1]) = (1, 1);
        assert(!this.isOneOf{gas: GAS}(pairs, 1));
    }

    function test_negate_pointAndZero_giveTheInverse() external view {
        uint256[2] memory zero;
        assert(zero.negate()[1] == 0);
        uint256[2] memory one = [uint256(1), 2];
        uint256[2] memory sum = one.add(one.negate());
        assert(sum[0] == 0 && sum[1] == 0);
    }

    function testFuzz_isPoint_multiplesOfTheGenerator_only(uint256 scalar, uint256 x, uint256 y) external view {
        uint256[2] memory one = [uint256(1), 2];
        uint256[2] memory point = one.mul(scalar);
        assert(Bn254.isPoint(point[0], point[1]) == (point[0] != 0 || point[1] != 0));
        assert(!Bn254.isPoint(point[0], addmod(point[1], 1, Q)));
        assert(!Bn254.isPoint(x % (type(uint256).max - Q) + Q, y));
        assert(!Bn254.isPoint(x, y % (type(uint256).max - Q) + Q));
    }

    // ---- The library, for calls with less gas ----

    function isOneOf(uint256[] memory pairs, uint256 count) external view returns (bool) {
        return Bn254.isOne(pairs, count);
    }

    function addOf(uint256[2] memory a, uint256[2] memory b) external view returns (uint256[2] memory) {
        return a.add(b);
    }

    function mulOf(uint256[2] memory a, uint256 scalar) external view returns (uint256[2] memory) {
        return a.mul(scalar);
    }

    // ---- Internal ----

    function _many(uint16 size, uint256[8] memory proof, uint256[3] memory input) private view returns (bool) {
        (uint16[] memory sizes, uint256[8][] memory proofs, uint256[3][] memory inputs) =
            (new uint16[](1), new uint256[8][](1), new uint256[3][](1));
        (sizes[0], proofs[0], inputs[0]) = (size, proof, input);
        return _verifier.verifyMany{gas: GAS}(sizes, proofs, inputs);
    }

    /// @notice Small, large, the twins of both, and small again.
    function _set()
        private
        pure
        returns (uint16[] memory sizes, uint256[8][] memory proofs, uint256[3][] memory inputs)
    {
        (sizes, proofs, inputs) = (new uint16[](5), new uint256[8][](5), new uint256[3][](5));
        for (uint256 i = 0; i < 5; ++i) {
            sizes[i] = i % 2 == 0 ? SMALL : LARGE;
            proofs[i] = i % 2 == 0 ? Toys.proof0() : Toys.proof1();
            inputs[i] = i % 2 == 0 ? Toys.inputs0() : Toys.inputs1();
            if (i < 2) continue;
            // Another proof of the same: A and B negated.
            (proofs[i][1], proofs[i][4], proofs[i][5]) = (Q - proofs[i][1], Q - proofs[i][4], Q - proofs[i][5]);
        }
        (proofs[4][1], proofs[4][4], proofs[4][5]) = (Q - proofs[4][1], Q - proofs[4][4], Q - proofs[4][5]);
    }
}
