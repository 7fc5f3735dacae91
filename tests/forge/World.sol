// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Governor} from "../../contracts/Governor.sol";
import {Rollup} from "../../contracts/Rollup.sol";
import {FIELD_MODULUS} from "../../contracts/generated/Constants.sol";
import {Block, KeyChange} from "../../contracts/interfaces/IRollup.sol";
import {AcceptAllExitVerifier} from "../contracts/sources/AcceptAllExitVerifier.sol";
import {AcceptAllVerifier} from "../contracts/sources/AcceptAllVerifier.sol";
import {Recipient} from "../contracts/sources/Callers.sol";
import {
    BlockingToken,
    BombToken,
    FalseToken,
    FeeOnTopToken,
    FeeOnTransferToken,
    HookToken,
    LyingToken,
    NoReturnToken,
    PlainToken,
    RebasingToken
} from "../contracts/sources/Tokens.sol";
import {VM} from "./Vm.sol";

/// @notice The deployment, the people, and what the money must be: a model that the handlers write and the checks read.
/// @dev The registry and the governor are the real ones. The verifier ACCEPTS EVERY PROOF but the zero one: what a block
/// claims is kept honest by the ledger here. Real proofs are tested from Python (tests/e2e, test_block_verifier.py).
abstract contract World {
    /// A queue entry, as requested.
    struct Entry {
        bool isDeposit;
        bool senderIsOwner;
        address owner;
        uint16 token;
        uint32 account;
        uint128 amount;
        uint64 feeGwei;
        uint256 ax;
        uint256 ay;
        uint256 expiry;
        bool refunded;
    }

    struct Credit {
        address owner;
        uint16 token;
        uint128 amount;
    }

    struct Account {
        uint32 nonce;
        bool hasKey;
        KeyChange approved;
        mapping(uint16 token => uint128) balances;
        mapping(uint16 token => bool) exited;
    }

    /// L2 after a block.
    struct Saved {
        mapping(uint256 position => uint32) nonces;
        mapping(uint256 position => bool) hasKeys;
        mapping(uint256 position => mapping(uint16 token => uint128)) balances;
    }

    error Broken(string what, uint256 where, uint256 expected, uint256 found);

    uint16 internal constant ETH = 0;
    uint16 internal constant NO_RETURN = 2;
    uint16 internal constant FALSE = 3;
    uint16 internal constant FEE_ON_TRANSFER = 4;
    uint16 internal constant FEE_ON_TOP = 5;
    uint16 internal constant REBASING = 6;
    uint16 internal constant BLOCKING = 7;
    uint16 internal constant HOOK = 8;
    uint16 internal constant BOMB = 9;
    uint16 internal constant LYING = 10;
    uint16 internal constant TOKENS = 11;

    uint128 internal constant CAP = 2 ** 120 - 1;
    uint128 internal constant MAX_DEPOSIT = 2 ** 100;
    uint32 internal constant BASE_FEE_GWEI = 50_000;
    uint256 internal constant START = 1_800_000_000;
    /// The order's generator of circomlib: any point of the curve does.
    uint256 internal constant KEY_X = 5299619240641551281634865583518297030282874472190772894086521144482721001553;
    uint256 internal constant KEY_Y = 16950150798460657717958625567821834550301663161624707787222815936182638968203;

    /// Alice, Bob and Carol sign with the private keys 1, 2, 3; then a contract, and two validators.
    uint256 internal constant SIGNERS = 3;
    uint256 internal constant HOSTILE = 3;
    uint256 internal constant FIRST_VALIDATOR = 4;
    uint256 internal constant ACTORS = 6;

    Governor internal immutable governor;
    Rollup internal immutable rollup;
    Recipient internal immutable recipient;
    address internal immutable stranger = address(0x5AFE);

    address[ACTORS] internal actors;
    PlainToken[TOKENS] internal tokens;

    // ---- The model ----

    Entry[] internal queue;
    uint256 internal queueTaken;
    /// An L2 account's id is its owner's position among the actors, and one.
    mapping(uint32 id => Account) internal accounts;
    Block[] internal chain;
    mapping(uint64 number => bytes) internal streams;
    mapping(uint64 number => Credit[]) internal credits;
    mapping(uint64 number => Saved) internal saved;
    uint64 internal proven;
    mapping(uint64 number => uint256) internal provenAt;
    uint64 internal executed;
    /// Positions of those who may commit and are not suspended; Alice, Bob and Carol follow them one by one.
    uint256[] internal validators;
    uint256 internal nextValidator;
    bool internal isExodus;

    /// Where a token's money is: waiting in the queue, on L2, on its way in a committed block, to be withdrawn. ETH's queue
    /// fees are in the queue, then on their way to the committer.
    uint256[TOKENS] internal queued;
    uint256[TOKENS] internal onL2;
    uint256[TOKENS] internal onTheWay;
    uint256[TOKENS] internal owed;
    mapping(address owner => mapping(uint16 token => uint256)) internal owedTo;
    /// Sent to the vault past its functions.
    uint256[TOKENS] internal donated;
    bool[TOKENS] internal paused;

    constructor() {
        VM.warp(START);
        recipient = new Recipient();
        for (uint256 i = 0; i < ACTORS; ++i) {
            actors[i] = VM.addr(i + 1);
        }
        actors[HOSTILE] = address(recipient);
        address[] memory named = new address[](ACTORS - FIRST_VALIDATOR);
        for (uint256 i = 0; i < named.length; ++i) {
            named[i] = actors[FIRST_VALIDATOR + i];
            validators.push(FIRST_VALIDATOR + i);
        }
        governor = new Governor(address(this), CAP, named);
        uint16[] memory sizes = new uint16[](2);
        (sizes[0], sizes[1]) = (8, 64);
        AcceptAllVerifier verifier = new AcceptAllVerifier(sizes);
        rollup = new Rollup(
            address(governor), address(governor), address(verifier), address(new AcceptAllExitVerifier()), BASE_FEE_GWEI
        );
        chain.push(rollup.genesisBlock());
        _listTokens();
    }

    function _listTokens() private {
        tokens[1] = new PlainToken();
        // It has PlainToken's functions but for what transfers return, and those only the rollup calls.
        tokens[NO_RETURN] = PlainToken(address(new NoReturnToken()));
        tokens[FALSE] = new FalseToken();
        tokens[FEE_ON_TRANSFER] = new FeeOnTransferToken();
        tokens[FEE_ON_TOP] = new FeeOnTopToken();
        tokens[REBASING] = new RebasingToken();
        tokens[BLOCKING] = new BlockingToken();
        tokens[HOOK] = new HookToken();
        tokens[BOMB] = new BombToken();
        tokens[LYING] = new LyingToken();
        for (uint16 token = 1; token < TOKENS; ++token) {
            governor.addToken(address(tokens[token]));
            governor.setDepositCap(token, CAP);
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            for (uint16 token = 1; token < TOKENS; ++token) {
                VM.prank(actors[i]);
                // By hand: NoReturnToken returns nothing that could be decoded.
                (bool done,) = address(tokens[token])
                    .call(abi.encodeCall(PlainToken.approve, (address(rollup), type(uint256).max)));
                require(done);
            }
        }
    }

    // ---- Helpers ----

    function _vaultBalance(uint16 token) internal view returns (uint256) {
        return token == ETH ? address(rollup).balance : tokens[token].balanceOf(address(rollup));
    }

    function _balance(uint16 token, address who) internal view returns (uint256) {
        return token == ETH ? who.balance : tokens[token].balanceOf(who);
    }

    function _actor(uint256 seed) internal view returns (address) {
        return actors[seed % ACTORS];
    }

    function _accountOf(uint256 position) internal pure returns (uint32) {
        return uint32(position + 1);
    }

    function _ownerOf(uint32 account) internal view returns (address) {
        return account == 0 || account > ACTORS ? address(0) : actors[account - 1];
    }

    /// @notice One of four points: the curve is symmetric in both coordinates.
    function _key(uint256 seed) internal pure returns (uint256 ax, uint256 ay) {
        ax = seed & 1 == 0 ? KEY_X : FIELD_MODULUS - KEY_X;
        ay = seed & 2 == 0 ? KEY_Y : FIELD_MODULUS - KEY_Y;
    }

    /// @notice From 0 to `most`; small as often as large.
    function _some(uint256 seed, uint256 most) internal pure returns (uint128) {
        uint256 bits = seed % 128;
        return uint128((_next(seed) >> (128 + bits)) % (most + 1));
    }

    function _next(uint256 seed) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed)));
    }

    function _owe(address owner, uint16 token, uint256 amount) internal {
        owedTo[owner][token] += amount;
        owed[token] += amount;
    }

    function _refuse(bytes memory data, bytes4 error_, string memory what) internal {
        _refuseFrom(stranger, stranger, data, error_, what);
    }

    function _refuseFrom(address sender, address origin, bytes memory data, bytes4 error_, string memory what)
        internal
    {
        VM.prank(sender, origin);
        (bool done, bytes memory answer) = address(rollup).call(data);
        _refused(done, answer, error_, what);
    }

    function _require(bool holds, string memory what, uint256 where) internal pure {
        if (!holds) revert Broken(what, where, 1, 0);
    }

    function _same(uint256 found, uint256 expected, string memory what, uint256 where) internal pure {
        if (found != expected) revert Broken(what, where, expected, found);
    }

    /// @notice Whether the oldest entry not served by the queue's first `end` is overdue: no proof may leave it so.
    function _leavesOverdue(uint256 end) internal view returns (bool) {
        return end < queue.length && block.timestamp >= queue[end].expiry;
    }

    /// @notice That a call was refused, and why.
    function _refused(bool done, bytes memory answer, bytes4 error_, string memory what) internal pure {
        if (done || bytes4(answer) != error_) revert Broken(what, uint32(error_), 0, uint32(bytes4(answer)));
    }
}
