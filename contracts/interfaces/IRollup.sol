// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @notice A block as the contract knows it. Its hash, keccak256 of the ABI encoding, is all that is stored.
/// @dev Field order is normative: docs/protocol.md section 8. Words are below the BN254 scalar field modulus.
struct Block {
    /// 1 for the first block; block 0 is the empty genesis.
    uint64 number;
    bytes32 parentHash;
    uint256 oldRoot;
    uint256 newRoot;
    /// Unix seconds, never below the parent's.
    uint64 timestamp;
    /// Number of steps of the circuit that proves the block.
    uint16 blockSize;
    /// Where the data is published: the header's version (1 = calldata).
    uint8 source;
    /// C, the circuit's commitment to its own data (protocol 7).
    uint256 commitment;
    /// X, 128 bits (protocol 7).
    uint256 challenge;
    /// Y, the published data evaluated at X (protocol 7).
    uint256 evaluation;
    /// keccak256 of the L2 stream.
    bytes32 l2Hash;
    /// keccak256 of the L1 stream.
    bytes32 l1Hash;
    /// Queue entries consumed by all blocks up to and including this one.
    uint64 queueEnd;
    /// L2 chunks of all blocks up to and including this one.
    uint64 chunkEnd;
    address committer;
    /// What the validator registry answered when it authorised the block.
    bytes32 validatorSet;
    /// Unix seconds of L1's clock at the commit: the proof's deadline counts from it.
    uint40 committedAt;
}

/// @notice What a validator publishes of a block; everything else follows from the chain.
struct NewBlock {
    uint16 blockSize;
    /// Unix seconds, chosen in the window of protocol 8; validity times of operations are compared with it.
    uint64 timestamp;
    /// State root after the block, a word.
    bytes32 newRoot;
    /// L2 account that receives the fees, < 2^24.
    uint32 feeAccount;
    /// The low 96 bits of header word H4: eight token ids of 12 bits, strictly increasing from the least significant.
    uint96 feeTokens;
    /// C, a word.
    bytes32 commitment;
    /// The L2 stream: chunks of 15 bytes.
    bytes l2;
    /// The L1 stream: records of 32-byte words.
    bytes l1;
    /// For each ChangePubKey record in order `r 32 | s 32 | v 1 | validUntil 5`: the owner's signature of the KeyChange, all
    /// zeros if its approval is stored here.
    bytes keyAuth;
}

/// @notice The change of an L2 account's key, as its owner authorises it.
/// @dev Field order is that of the EIP-712 type ChangePubKey: docs/protocol.md section 4.
struct KeyChange {
    /// < 2^24.
    uint32 accountId;
    /// The account's, before the change.
    uint32 nonce;
    /// The new key, a point of Baby Jubjub.
    uint256 ax;
    uint256 ay;
    /// Token id.
    uint16 feeToken;
    /// In the token's smallest unit.
    uint128 fee;
    /// Unix seconds, compared with the timestamp of the block's header; inclusive.
    uint40 validUntil;
}

/// @title IRollup
/// @notice The one contract of Sluice that holds money: deposits, the priority queue, blocks, withdrawals.
/// Formats are in docs/protocol.md. Nothing here can be upgraded or paused; IGovernor says what the governor can stop.
interface IRollup {
    // ---- Events -----------------------------------------------------------------------------------------------------

    /// @notice A deposit entered the queue.
    /// @param index Position in the queue, from 0.
    /// @param owner Address the deposit belongs to.
    /// @param token Token id, 0 for ETH.
    /// @param sender Who paid.
    /// @param amount Units of the token credited: what arrived.
    /// @param feeGwei Queue fee in gwei, for the committer of the block that takes the entry in.
    /// @param expiry Unix seconds from which the entry is overdue.
    /// @param record The words W0..W3 of the L1 stream, account id and the flag "refused" still 0.
    event DepositQueued(
        uint64 indexed index,
        address indexed owner,
        uint16 indexed token,
        address sender,
        uint128 amount,
        uint64 feeGwei,
        uint40 expiry,
        uint256[4] record
    );

    /// @notice A request to leave with a whole balance entered the queue.
    /// @param record The words W0, W1 of the L1 stream, amount still 0.
    event FullExitQueued(
        uint64 indexed index,
        address indexed owner,
        uint16 indexed token,
        uint32 accountId,
        uint64 feeGwei,
        uint40 expiry,
        uint256[2] record
    );

    /// @notice The owner has approved a key change on L1, for good.
    /// @param owner Address whose account's key may change so.
    /// @param digest EIP-712 digest of `change`.
    event KeyChangeApproved(address indexed owner, bytes32 indexed digest, KeyChange change);

    /// @notice A block was committed. Its data is in the input of the transaction that emitted this (protocol 8).
    /// @param hash The block hash.
    /// @param committer The validator.
    /// @param validatorSet The registry's answer.
    /// @param committedAt Unix seconds of L1's clock; with the rest and the input it completes the preimage of `hash`.
    event BlockCommitted(
        uint64 indexed number, bytes32 hash, address committer, bytes32 validatorSet, uint40 committedAt
    );

    /// @notice Blocks whose proof was overdue are none any more; other blocks may take their numbers.
    /// @param firstNumber, lastNumber The first and the last of them.
    /// @param suspended Who committed the first: may never commit again. 0 if it was not his fault, see revertBlocks.
    event BlocksReverted(uint64 firstNumber, uint64 lastNumber, address suspended);

    /// @notice A block's proof was accepted: its new root is final.
    event BlockProven(uint64 indexed number, bytes32 hash);

    /// @notice A block's withdrawals were credited.
    /// @param executor Who executed it; the queue fees are the committer's.
    event BlockExecuted(uint64 indexed number, bytes32 hash, address executor);

    /// @notice `owner` may now withdraw `amount` more of `token`.
    event PendingCredited(address indexed owner, uint16 indexed token, uint128 amount);

    /// @notice A pending balance was paid out.
    /// @param owner Whose it was.
    /// @param to Who was paid: the owner, or whom the owner named.
    /// @param caller Who pushed it.
    event Withdrawn(address indexed owner, uint16 indexed token, address to, uint128 amount, address caller);

    /// @notice Exodus has begun, for good: blocks after `lastProvenBlock` are void.
    /// @param root The state that everything leaves from.
    /// @param queueStart The first queue entry that no proven block serves: it was overdue. It and all after are refunded.
    event ExodusActivated(uint64 lastProvenBlock, uint256 root, uint64 queueStart);

    /// @notice A balance has left L2 in exodus, and is pending.
    /// @param caller Who handed the proof in.
    event Exited(uint32 indexed accountId, uint16 indexed token, address indexed owner, uint128 amount, address caller);

    /// @notice A queue entry that no block will serve was given back in exodus, and is pending.
    /// @param owner Whose entry it was.
    /// @param amount Of a deposit, in units of the token; 0 for a full exit.
    /// @param feeWei The queue fee.
    event QueueRefunded(
        uint64 indexed index, address indexed owner, uint16 indexed token, uint128 amount, uint256 feeWei
    );

    // ---- Errors -----------------------------------------------------------------------------------------------------

    /// @notice The owner is the zero address or this contract.
    error InvalidOwner(address owner);
    /// @notice The deposit is worth nothing: for a token, nothing arrived.
    error ZeroDeposit(uint16 token);
    /// @notice The queue fee was not paid.
    /// @param sentWei What was sent for it: for a deposit of ETH, on top of the amount.
    error QueueFeeNotPaid(uint256 requiredWei, uint256 sentWei);
    /// @notice More than twice the queue fee was sent for it.
    /// @param sentWei As for QueueFeeNotPaid.
    error QueueFeeExceeded(uint256 mostWei, uint256 sentWei);
    /// @notice A queue without a fee could be flooded for nothing; with a high one nobody small could leave.
    error QueueFeeOutOfRange(uint32 feeGwei, uint256 mostGwei);
    /// @notice The first entry of the queue must be a deposit.
    error NoDepositYet();
    /// @notice The governor has stopped deposits of the token.
    error DepositsPaused(uint16 token);
    /// @notice Net deposits would exceed the token's cap.
    error DepositCapExceeded(uint16 token, uint256 cap, uint256 wouldBe);
    /// @notice ETH is deposited by depositETH.
    error NotAnErc20(uint16 token);
    /// @notice Only the owner's own deposit may carry a key.
    error KeyNotByOwner(address owner, address sender);
    /// @notice The key is not a point of Baby Jubjub with coordinates below the field modulus.
    error KeyNotOnCurve(uint256 ax, uint256 ay);
    /// @notice Not a token id: order slots are never money.
    error TokenOutOfRange(uint16 token);
    /// @notice Account ids are below 2^24.
    error AccountOutOfRange(uint32 accountId);

    /// @notice Blocks are committed by an account without code, directly.
    error NotADirectCall(address sender, address origin);
    /// @notice The calldata is not the canonical ABI encoding of its arguments, or something follows it.
    error CalldataNotCanonical();
    /// @notice A list that must not be empty is empty.
    error NoBlocks();
    /// @notice Lists that belong together differ in length.
    error LengthMismatch(uint256 blocks, uint256 others);
    /// @notice Blocks are committed, proven and executed in order, without gaps.
    error BlockOutOfOrder(uint64 expected, uint64 got);
    /// @notice The given block is not the one stored under its number.
    error BlockHashMismatch(uint64 number, bytes32 expected, bytes32 got);
    /// @notice The value is not below the field modulus.
    error NotAWord(uint256 value);
    /// @notice The verifier has no key for this block size.
    error BlockSizeUnsupported(uint16 blockSize);
    /// @notice The timestamp is before the parent's, too far behind or too far ahead of L1's.
    error TimestampOutOfRange(uint64 timestamp, uint64 earliest, uint64 latest);
    /// @notice An L2 stream is not whole chunks, or is too long.
    error L2StreamLength(uint256 bytesLength);
    /// @notice An L1 stream is not whole words, ends within a record, or is too long.
    error L1StreamLength(uint256 bytesLength);
    /// @notice A record's first word has an operation that does not belong in the L1 stream.
    error UnknownOperation(uint256 wordIndex, uint256 word);
    /// @notice A record has a field set that must be 0, or a nonce that is none.
    error MalformedRecord(uint256 wordIndex);
    /// @notice More records than a block may carry.
    error TooManyL1Operations(uint256 limit);
    /// @notice A Deposit or FullExit record is not the next entry of the queue.
    error QueueEntryMismatch(uint64 index, bytes27 expected, bytes27 got);
    /// @notice There is not exactly one authorisation of 70 bytes for each key change.
    /// @param expected If less came, how many bytes the key changes read so far need.
    error KeyAuthLength(uint256 expected, uint256 got);
    /// @notice The key change was authorised for blocks up to an earlier time than this one's.
    error KeyChangeExpired(uint32 accountId, uint40 validUntil, uint64 timestamp);
    /// @notice The authorisation is empty, and the owner has approved no such key change on L1.
    error KeyChangeNotApproved(address owner, bytes32 digest);
    /// @notice The signature is not the owner's of this key change.
    /// @param signer Whose it is; 0 if it is none, or its s is in the upper half of the group's order.
    error KeyChangeNotSigned(address owner, address signer, bytes32 digest);
    /// @notice One of the proofs of these blocks does not hold.
    /// @param first, last Numbers of the first and the last of them.
    error InvalidProof(uint64 first, uint64 last);
    /// @notice Only proven blocks are executed.
    error BlockNotProven(uint64 number, uint64 proven);
    /// @notice The L1 stream is not the one that was committed.
    error L1StreamMismatch(uint64 number, bytes32 expected, bytes32 got);

    /// @notice There is nothing to withdraw.
    error NothingPending(address owner, uint16 token);
    /// @notice Nothing, or more than is pending, was to be withdrawn.
    error AmountNotPending(address owner, uint16 token, uint128 amount, uint128 pending);
    /// @notice Money cannot be sent to address 0 or to the rollup.
    error InvalidRecipient(address to);
    /// @notice The recipient did not take the ETH.
    error EthTransferFailed(address to, uint256 amount);
    /// @notice The token took more from the vault than the amount.
    error OutflowExceedsAmount(uint16 token, uint256 amount, uint256 taken);

    /// @notice All committed blocks are proven.
    error NothingToRevert(uint64 provenBlocks);
    /// @notice The first unproven block may still be proven before anyone may revert it.
    /// @param deadline, timestamp Unix seconds.
    error ProofNotOverdue(uint64 number, uint256 deadline, uint256 timestamp);
    /// @notice The blocks would leave this queue entry, which is overdue: blocks that serve it go first.
    /// @param expiry, timestamp Unix seconds.
    error QueueEntryOverdue(uint64 index, uint40 expiry, uint256 timestamp);
    /// @notice A block of this committer was reverted.
    error CommitterSuspended(address committer);

    /// @notice In exodus there are no more blocks, proofs, deposits and requests.
    error ExodusIsActive();
    /// @notice Only in exodus.
    error ExodusNotActive();
    /// @notice The oldest queue entry that no proven block serves is not overdue.
    /// @param expiry Unix seconds; 0 if there is no such entry.
    error QueueNotOverdue(uint64 index, uint40 expiry, uint256 timestamp);
    /// @notice This balance has left.
    error AlreadyExited(uint32 accountId, uint16 token);
    /// @notice An exit of nothing.
    error ZeroExit(uint32 accountId, uint16 token);
    /// @notice The proof does not hold for the exodus root and what is claimed.
    error InvalidExitProof(uint32 accountId, uint16 token);
    /// @notice The entry is served by a proven block, or there is none.
    /// @param start, total Entries from `start` to below `total` are refundable.
    error NotRefundable(uint64 index, uint64 start, uint64 total);

    /// @notice A contract to be set in the constructor is not there.
    error AddressWithoutCode(address contract_);

    // ---- Users ------------------------------------------------------------------------------------------------------

    /// @notice Deposits ETH. The queue fee is paid on top; what `msg.value` exceeds both by is credited to the sender's
    /// pending balance. So `msg.value - amount`, at most twice the fee, is the highest queue fee that the sender takes.
    /// @param amount Wei to deposit.
    /// @param owner L1 address the deposit belongs to, on L2 and if it is refused.
    /// @param ax, ay The owner's Baby Jubjub key, set if the account has none; (0, 0) for none. Only for `msg.sender`.
    /// Warning: the curve is checked, the prime-order subgroup is not. A key outside it cannot sign, and a later deposit
    /// does not replace it.
    /// @return index Position in the queue.
    /// Reverts: InvalidOwner, KeyNotByOwner, KeyNotOnCurve, QueueFeeNotPaid, QueueFeeExceeded, ZeroDeposit, DepositsPaused,
    /// DepositCapExceeded, ExodusIsActive.
    function depositETH(uint128 amount, address owner, uint256 ax, uint256 ay) external payable returns (uint64 index);

    /// @notice Deposits a listed token, approved before. The queue fee is paid in ETH; what `msg.value` exceeds it by is
    /// credited to the sender's pending balance.
    /// @param token Token id, 1..2047.
    /// @param amount Units to take from the sender. What arrives is credited, also if that is less.
    /// @param owner, ax, ay As for depositETH.
    /// @return index Position in the queue.
    /// Reverts: as depositETH, and NotAnErc20 if token = 0, IGovernor.UnlistedToken, SafeERC20FailedOperation.
    function depositERC20(uint16 token, uint128 amount, address owner, uint256 ax, uint256 ay)
        external
        payable
        returns (uint64 index);

    /// @notice Demands the sender's whole balance of a token back, without a signature on L2. Exits 0 if the account is
    /// not the sender's. The queue fee is paid in ETH; what `msg.value` exceeds it by is credited to the sender.
    /// @param accountId L2 account, < 2^24.
    /// @param token Token id, < 2048.
    /// @return index Position in the queue.
    /// Reverts: AccountOutOfRange, TokenOutOfRange, NoDepositYet, QueueFeeNotPaid, QueueFeeExceeded, ExodusIsActive.
    function requestFullExit(uint32 accountId, uint16 token) external payable returns (uint64 index);

    /// @notice Pays a pending balance to its owner. Anyone may call it.
    /// Warning: so tokens can be pushed to a contract that has no way to move them. A contract that is owed tokens needs one.
    /// @param owner Whose balance, and who is paid.
    /// @param token Token id.
    /// @return amount Units paid.
    /// Reverts: NothingPending; EthTransferFailed if the owner does not take it; OutflowExceedsAmount,
    /// SafeERC20FailedOperation if the token misbehaves. A reverted withdrawal stays pending.
    function withdrawPending(address owner, uint16 token) external returns (uint128 amount);

    /// @notice Pays of the sender's pending balance to an address of his choice: for an owner that cannot receive, and for a
    /// token that does not let all of it go at once.
    /// @param token Token id.
    /// @param to Who is paid.
    /// @param amount Units to pay, not 0, at most what is pending.
    /// Reverts: InvalidRecipient, AmountNotPending, and as withdrawPending.
    function withdrawPendingTo(uint16 token, address to, uint128 amount) external;

    /// @notice Approves a change of the key of an account of the sender's, instead of a signature: for contract wallets.
    /// There is no way back but the account's nonce and `validUntil`; approving again changes nothing.
    /// @param change What the operator's record must say, field by field.
    /// @return digest The EIP-712 digest under which the approval is stored.
    /// Warning: as for depositETH, the key's subgroup is not checked; and who has the key can spend what the account holds.
    /// Reverts: AccountOutOfRange, TokenOutOfRange, KeyNotOnCurve.
    function approveKeyChange(KeyChange calldata change) external returns (bytes32 digest);

    // ---- Validators -------------------------------------------------------------------------------------------------

    /// @notice Publishes blocks. The parent is the last committed block.
    /// @param parent Preimage of the last committed block's hash; genesisBlock() for the first.
    /// @param blocks In order, at least one.
    /// @param auth For the validator registry; empty for the allow-list.
    /// Reverts: ExodusIsActive, NotADirectCall, CommitterSuspended, CalldataNotCanonical, NoBlocks, BlockOutOfOrder, BlockHashMismatch, BlockSizeUnsupported,
    /// AccountOutOfRange, TimestampOutOfRange, NotAWord, L2StreamLength, L1StreamLength, UnknownOperation,
    /// MalformedRecord, TooManyL1Operations, QueueEntryMismatch, KeyNotOnCurve, KeyAuthLength, KeyChangeExpired,
    /// KeyChangeNotApproved, KeyChangeNotSigned, or what the registry reverts with.
    function commitBlocks(Block calldata parent, NewBlock[] calldata blocks, bytes calldata auth) external;

    /// @notice Commits, proves and executes one block; all earlier ones must be executed.
    /// @param proof Groth16 proof: A, B, C as in IVerifier.
    /// Reverts: as commitBlocks, proveBlocks and executeBlocks.
    function commitProveExecute(
        Block calldata parent,
        NewBlock calldata newBlock,
        uint256[8] calldata proof,
        bytes calldata auth
    ) external;

    // ---- Anyone -----------------------------------------------------------------------------------------------------

    /// @notice Accepts committed blocks with their proofs, in order. Blocks already proven are skipped. While queue entries are
    /// overdue, the blocks of a call must serve them all.
    /// Reverts: ExodusIsActive, LengthMismatch, BlockOutOfOrder, BlockHashMismatch, InvalidProof, QueueEntryOverdue, IVerifier's errors.
    function proveBlocks(Block[] calldata blocks, uint256[8][] calldata proofs) external;

    /// @notice Credits what proven blocks pay out, in order, and each block's committer with its queue fees, whoever
    /// executes. Blocks already executed are skipped.
    /// @param l1Streams The L1 stream of each block.
    /// Reverts: LengthMismatch, BlockOutOfOrder, BlockNotProven, BlockHashMismatch, L1StreamMismatch.
    function executeBlocks(Block[] calldata blocks, bytes[] calldata l1Streams) external;

    /// @notice Takes back all unproven blocks, once the first of them has been without a proof for PROOF_DEADLINE_SECONDS
    /// since its commit, and suspends its committer for good. He has at least PROOF_GRACE_SECONDS since the last block of
    /// somebody else's below it was proven, but the block never more than PROOF_LIMIT_SECONDS: when that ends first, nobody is
    /// suspended. What of the queue was in them is to be served as before, with the same expiry. Costs the same gas however
    /// many blocks there are.
    /// @param lastProven Preimage of the last proven block's hash; genesisBlock() if none is proven.
    /// @param firstUnproven Preimage of the next one's.
    /// Reverts: ExodusIsActive, NothingToRevert, BlockOutOfOrder, BlockHashMismatch, ProofNotOverdue.
    function revertBlocks(Block calldata lastProven, Block calldata firstUnproven) external;

    // ---- Exodus, for anyone -----------------------------------------------------------------------------------------

    /// @notice Begins exodus, for good, once the oldest queue entry that no proven block serves is overdue. Unproven blocks
    /// are void; nothing is committed, proven or queued any more; proven blocks are still executed. An entry in a proven
    /// block is not overdue, executed or not: anyone can execute it.
    /// @param lastProven Preimage of the last proven block's hash; genesisBlock() if none is proven.
    /// Reverts: ExodusIsActive, BlockOutOfOrder, BlockHashMismatch, QueueNotOverdue.
    function activateExodus(Block calldata lastProven) external;

    /// @notice Takes a balance out of the state with exodusRoot: once each account and token, all of it, to the owner's
    /// pending balance. Anyone may do it for anyone.
    /// @param accountId L2 account, < 2^24.
    /// @param token Token id, < 2048.
    /// @param owner The account's address.
    /// @param amount Its balance of the token, not 0.
    /// @param proof Groth16 proof of this, as in IExitVerifier: the public inputs are those of protocol 12.
    /// Reverts: ExodusNotActive, AccountOutOfRange, TokenOutOfRange, ZeroExit, AlreadyExited, InvalidExitProof.
    function exitExodus(uint32 accountId, uint16 token, address owner, uint128 amount, uint256[8] calldata proof)
        external;

    /// @notice Gives a queue entry that no proven block serves back to its owner's pending balances: a deposit's amount, and
    /// the queue fee of either kind, in ETH. Once each. A deposit for another goes to its owner, not to who paid it.
    /// @param index Position in the queue, from exodusQueueStart() on.
    /// @param record Its words as the event of its request has them.
    /// Reverts: ExodusNotActive, NotRefundable, QueueEntryMismatch, also if it was refunded before.
    function refundQueued(uint64 index, uint256[] calldata record) external;

    // ---- Views ------------------------------------------------------------------------------------------------------

    /// @notice IGovernor: token list, deposit caps.
    function governor() external view returns (address);
    /// @notice IValidatorRegistry: who may commit.
    function registry() external view returns (address);
    /// @notice IVerifier.
    function verifier() external view returns (address);
    /// @notice IExitVerifier.
    function exitVerifier() external view returns (address);

    /// @notice Preimage of block 0's hash: the empty tree.
    function genesisBlock() external view returns (Block memory);
    /// @notice Hash of a committed block, kept forever once it is proven; 0 if there is none, or none any more.
    function blockHash(uint64 number) external view returns (bytes32);
    /// @notice Whether `candidate` is the committed block of its number.
    function verifyBlock(Block calldata candidate) external view returns (bool);
    /// @notice Number of the last block committed, proven, executed.
    function committedBlocks() external view returns (uint64);
    function provenBlocks() external view returns (uint64);
    function executedBlocks() external view returns (uint64);
    /// @notice When the last proven block was proven, unix seconds; 0 if none is.
    function provenAt() external view returns (uint40 timestamp);
    /// @notice When the last block below it that is another committer's was proven, unix seconds; 0 if there is none.
    function turnBeganAt() external view returns (uint40 timestamp);

    /// @notice Whether blocks of this address's were reverted: it may not commit any more.
    function suspended(address committer) external view returns (bool);

    /// @notice The state root that everything leaves from in exodus; 0 before.
    function exodusRoot() external view returns (uint256);
    /// @notice The first queue entry to be refunded in exodus; 0 before.
    function exodusQueueStart() external view returns (uint64);
    /// @notice Whether this balance has left in exodus.
    function exited(uint32 accountId, uint16 token) external view returns (bool);

    /// @notice Queue entries ever made; consumed by committed blocks; consumed by executed blocks.
    function queueTotal() external view returns (uint64);
    function queueCommitted() external view returns (uint64);
    function queueExecuted() external view returns (uint64);
    /// @notice An entry that is not executed or refunded yet; zeros otherwise.
    /// @return hash First 27 bytes of keccak256 of the record with the operator's part blanked.
    /// @return expiry Unix seconds.
    function queueEntry(uint64 index) external view returns (bytes27 hash, uint40 expiry);
    /// @notice What the next queue entry costs, in wei, a multiple of 1 gwei. Rises with the number of open entries.
    function queueFee() external view returns (uint256 feeWei);

    /// @notice EIP-712 digest of a key change here: what the owner signs, or approves by approveKeyChange.
    function keyChangeDigest(KeyChange calldata change) external view returns (bytes32 digest);
    /// @notice Whether `owner` has approved the key change with this digest.
    function keyChangeApproved(address owner, bytes32 digest) external view returns (bool);

    /// @notice What `owner` can withdraw, in units of the token.
    function pending(address owner, uint16 token) external view returns (uint128);
    /// @notice All this contract owes in a token: balances on L2, the queue with its fees, pending balances. Never more
    /// than it holds, unless the token itself takes from the vault.
    function accounted(uint16 token) external view returns (uint256);
}
