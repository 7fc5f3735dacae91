// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {FIELD_MODULUS} from "../../../contracts/generated/Constants.sol";
import {Calldata} from "../../../contracts/libraries/Calldata.sol";
import {Records} from "../../../contracts/libraries/Records.sol";

/// @notice Records as protocol 6 and 8 have them, for every value of every field: fuzzed by forge, proved by halmos.
contract RecordProperties {
    using Records for bytes;
    using Records for uint256;

    /// The account id and the flag of refusal are the operator's to fill in.
    uint256 private constant DEPOSIT_OPERATOR = uint256(2 ** 24 - 1) << 172 | uint256(2) << 196;

    function testFuzz_deposit_isReadAsItWasWritten(
        address owner,
        uint16 token,
        bool senderIsOwner,
        uint64 feeGwei,
        uint128 amount
    ) external pure {
        token &= 4095;
        (uint256 w0, uint256 w1) = Records.deposit(owner, token, senderIsOwner, feeGwei, amount);
        assert(w0.op() == 1 && w0.accountOf() == 0 && w0.tokenOf() == token && w0.ownerOf() == owner);
        assert(w0.flags() == (senderIsOwner ? 1 : 0) && !w0.isRefused());
        assert(w1.aux() == feeGwei && w1.amountOf() == amount);
        assert(w0 < FIELD_MODULUS && w1 < FIELD_MODULUS);
    }

    function testFuzz_fullExit_isReadAsItWasWritten(address owner, uint32 account, uint16 token, uint64 feeGwei)
        external
        pure
    {
        account &= 2 ** 24 - 1;
        token &= 4095;
        (uint256 w0, uint256 w1) = Records.fullExit(owner, account, token, feeGwei);
        assert(w0.op() == 2 && w0.accountOf() == account && w0.tokenOf() == token && w0.ownerOf() == owner);
        assert(w0.flags() == 0 && w1.aux() == feeGwei && w1.amountOf() == 0);
        assert(w0 < FIELD_MODULUS && w1 < FIELD_MODULUS);
    }

    /// @notice The fields of a word share no bit and leave none out: two words with the same fields are the same.
    function testFuzz_word_isItsFields(uint256 w0, uint256 w1) external pure {
        uint256 first = w0.op() << 200 | w0.flags() << 196 | uint256(w0.accountOf()) << 172;
        assert(first | uint256(w0.tokenOf()) << 160 | uint160(w0.ownerOf()) == w0);
        assert(w1.aux() << 128 | w1.amountOf() == w1);
        assert(w0.isRefused() == (w0 >> 197 & 1 == 1));
    }

    /// @notice Only five operations have records, and a word that starts one is below r.
    function testFuzz_wordsOf_fiveOperationsOnly(uint256 w0) external pure {
        uint256 op = w0.op();
        uint256 words = Records.wordsOf(op);
        bool four = op == 1 || op == 6;
        bool two = op == 2 || op == 5 || op == 7;
        assert(words == (four ? 4 : two ? 2 : 0));
        if (words != 0) assert(w0 < FIELD_MODULUS);
    }

    /// @notice A second word with an aux field of its width, or none, is below r.
    function testFuzz_secondWord_isBelowR(uint256 w1) external pure {
        if (w1.aux() >> 64 == 0) assert(w1 < FIELD_MODULUS);
    }

    function testFuzz_depositHash_leavesOutTheOperatorsPartAlone(uint256 w0, uint256 w1, uint256 ax, uint256 ay)
        external
        view
    {
        bytes32 expected = keccak256(abi.encode(w0 & ~DEPOSIT_OPERATOR, w1, ax, ay));
        assert(this.depositHashAt1(abi.encode(0, w0, w1, ax, ay)) == expected);
    }

    function testFuzz_depositHash_sameOnlyForTheSameRequest(uint256[4] memory a, uint256[4] memory b) external view {
        bool same = this.depositHashAt1(abi.encode(0, a)) == this.depositHashAt1(abi.encode(0, b));
        bool request = (a[0] ^ b[0]) & ~DEPOSIT_OPERATOR == 0 && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
        assert(same == request);
    }

    function testFuzz_fullExitHash_leavesOutTheAmountAlone(uint256 w0, uint256 w1) external view {
        bytes32 expected = keccak256(abi.encode(w0, w1 >> 128 << 128));
        assert(this.fullExitHashAt1(abi.encode(0, w0, w1)) == expected);
    }

    function testFuzz_fullExitHash_sameOnlyForTheSameRequest(uint256[2] memory a, uint256[2] memory b) external view {
        bool same = this.fullExitHashAt1(abi.encode(0, a)) == this.fullExitHashAt1(abi.encode(0, b));
        assert(same == (a[0] == b[0] && a[1] >> 128 == b[1] >> 128));
    }

    function testFuzz_calldataWord_isTheStreams(uint256 first, uint256 second) external view {
        bytes memory stream = abi.encode(first, second);
        assert(this.wordAt(stream, 0) == first && this.wordAt(stream, 1) == second);
        assert(this.hashOf(stream) == keccak256(stream));
    }

    function testFuzz_isExactly_takesOneEncodingOnly(uint256 a, uint256 b, bytes1 tail) external {
        bytes memory exact = abi.encodeCall(this.exactly, (a, b));
        assert(_saysYes(exact));
        assert(!_saysYes(bytes.concat(exact, tail)));
    }

    function testFuzz_isExactly_comparesAllWords(uint256 a, uint256 b, uint256 c, uint256 d) external {
        (, bytes memory answer) = address(this).call(abi.encodeCall(this.isEncodingOf, (a, b, c, d)));
        assert(abi.decode(answer, (bool)) == (a == c && b == d));
    }

    // ---- The libraries, with a stream in calldata ----

    function depositHashAt1(bytes calldata stream) external pure returns (bytes32) {
        return stream.depositHash(1);
    }

    function fullExitHashAt1(bytes calldata stream) external pure returns (bytes32) {
        return stream.fullExitHash(1);
    }

    function wordAt(bytes calldata stream, uint256 index) external pure returns (uint256) {
        return stream.word(index);
    }

    function hashOf(bytes calldata stream) external pure returns (bytes32) {
        return Calldata.hash(stream);
    }

    function exactly(uint256 a, uint256 b) external pure returns (bool) {
        return Calldata.isExactly(abi.encode(a, b));
    }

    /// @notice Whether the call's arguments are c, d, c, d.
    function isEncodingOf(uint256, uint256, uint256 c, uint256 d) external pure returns (bool) {
        return Calldata.isExactly(abi.encode(c, d, c, d));
    }

    function _saysYes(bytes memory data) private returns (bool) {
        (bool done, bytes memory answer) = address(this).call(data);
        return done && abi.decode(answer, (bool));
    }
}
