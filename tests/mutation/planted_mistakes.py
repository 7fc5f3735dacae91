"""For each row of docs/security.md's tables of mistakes and guarantees: a mistake, and the test of the row that sees it."""

# ruff: noqa: E501
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    """A replacement in a file; the text stands there once. `test` is `file::test`, under tests/."""

    row: str
    path: str
    before: str
    after: str
    test: str


def _of(row: str, path: str, before: str, after: str, test: str) -> Plant:
    kind = {"libraries": ".sol", "circuits": ".circom", "rollup": ".py", "native": ".rs"}.get(
        path.split("/")[0], ".sol"
    )
    folder = "contracts/" if kind == ".sol" else ""
    return Plant(row, f"{folder}{path}{kind}", before, after, test)


CIRCUITS = [
    _of("under-constrained signal", "circuits/close", "balances[j].old_root === balances[j - 1].new_root;", "", "circuits/test_open_and_close.py::test_close_any_input_changed_is_refused"),
    _of("disabled gadget still constrains (poisoned key)", "circuits/lib/signature", "BASE[i] + enabled * (key[i] - BASE[i]);", "key[i];", "circuits/test_queue_never_blocked.py::test_deposit_with_a_poisoned_key_is_provable"),
    _of("key (0, 0) or x = 0 accepted", "rollup/core/rules/base", "if not account.has_key:", "if False:", "rollup/test_core_signed.py::test_account_without_key_cannot_sign"),
    _of("value only hashed, not bound", "circuits/close", "Y === header_eval + l2_part + l1_part;", "", "circuits/test_data_binding.py::test_header_word_changed_is_refused"),
    _of("padded list credited several times", "circuits/open", "increases[j].out === 1;", "", "circuits/test_open_and_close.py::test_open_fee_tokens_not_increasing_tokens_are_refused"),
    _of("optimiser drops an interface signal", "native/src/circuit", "if signal.wire != Some(wire) {", "if false {", "native/test_native_linker.py::test_public_signal_without_its_own_wire_is_refused"),
    _of("linked circuit differs from the monolithic one", "native/src/linker", "wires[port.wire as usize] = global;", "if port.role != Role::Global { wires[port.wire as usize] = global; }", "native/test_native_linker.py::test_linked_block_equals_the_monolithic_one"),
    _of("missing range check", "circuits/open", "_ <== Num2Bits(TIMESTAMP_BITS())(header_timestamp);", "", "circuits/test_open_and_close.py::test_open_header_field_beyond_its_width_is_refused"),
    _of("bit alias (x + r)", "circuits/lib/bits", "all_ones[i] * zeros === 0;", "", "circuits/test_gadgets.py::test_bits_of_every_number_are_refused_exactly_above_the_limit"),
    _of("index not canonical", "circuits/exit", "_ <== Num2Bits(ADDRESS_BITS())(owner);", "", "circuits/test_exit_circuit.py::test_exit_attacked_is_refused"),
    _of("public input >= r", "libraries/Groth16", "if (inputs[i] >= FIELD_MODULUS)", "if (false)", "contracts/test_block_verifier.py::test_input_plus_r_reverts"),
    _of("verifier checks the wrong modulus", "libraries/Bn254", "if (x >= BASE_FIELD_MODULUS || y >= BASE_FIELD_MODULUS) return false;", "", "contracts/test_block_verifier.py::test_proof_coordinate_not_below_q_is_refused"),
    _of("small-order points", "native/src/eddsa", "(babyjub::is_in_subgroup(&key) && !key.is_zero()).then_some(Self(key))", "(babyjub::is_on_curve(&key) && !key.is_zero()).then_some(Self(key))", "native/test_eddsa.py::test_verify_torsion_key_refuses"),
    _of("S out of range", "circuits/lib/bits", "all_ones[i] * zeros === 0;", "", "circuits/test_step_refusals.py::test_step_attacked_is_refused"),
    _of("proof malleability", "Prover", "while (done < blocks.length && blocks[done].number <= provenBlocks()) ++done;", "", "contracts/test_rollup_execute.py::test_prove_again_is_skipped_and_the_rest_proven"),
    _of("unused public input", "libraries/Bn254", "return ok && result[0] == 1;", "return ok;", "contracts/test_block_verifier.py::test_every_input_counts"),
    _of("phase 2 skipped (delta = gamma)", "rollup/l1/verifier_source", "if _up_to_sign(parsed.delta) in (_up_to_sign(parsed.gamma), _up_to_sign(_G2_GENERATOR)):", "if False:", "contracts/test_block_verifier.py::test_render_refuses_a_skipped_phase_two"),
    _of("zero or infinity proof", "libraries/Groth16", "return pairs.isOne(4);", "return pairs.isOne(1);", "contracts/test_block_verifier.py::test_zero_points_are_refused"),
    _of("several proofs checked as one: a false one among true ones, errors that cancel", "libraries/Groth16", "i == 0 ? 1 : uint128(uint256(keccak256(abi.encode(seed, i))));", "1;", "contracts/test_verify_many.py::test_errors_that_cancel_in_a_plain_sum_are_refused"),
    _of("several proofs checked as one: a false one among true ones, errors that cancel", "libraries/Groth16", "bytes32 seed = keccak256(msg.data);", "bytes32 seed = keccak256(\"\");", "contracts/test_verify_many.py::test_errors_that_cancel_under_coefficients_known_before_are_refused"),
    _of("Merkle depth, digits", "circuits/exit", "balance.digits <== slot.digits;", "for (var i = 0; i < BALANCE_LEVELS; i++) { for (var k = 0; k < ARITY(); k++) { balance.digits[i][k] <-- slot.digits[i][k]; } }", "circuits/test_exit_circuit.py::test_exit_any_hinted_wire_forced_is_refused"),
    _of("empty leaf equals a real leaf", "circuits/exit", "owner_is_zero === 0;", "", "circuits/test_exit_circuit.py::test_exit_attacked_is_refused"),
    _of("challenge misses an input", "rollup/core/binding", "digest = keccak(head + keccak(l2) + keccak(l1) + tail)", "digest = keccak(head + keccak(l2) + tail)", "rollup/test_core_streams.py::test_challenge_as_the_page_says_and_every_input_counts"),
    _of("root + r", "Committer", "_requireWord(uint256(published.newRoot));", "", "contracts/test_rollup_commit.py::test_commit_root_plus_r_is_refused"),
]  # fmt: skip

CONTRACTS = [
    _of("queue spam, drain slower than fill", "Queue", "(1 + open / OPEN_ENTRIES_PER_STEP)", "(1 + open / type(uint64).max)", "contracts/test_rollup_deposits.py::test_queue_fee_rises_with_the_open_queue_and_falls_when_it_is_served"),
    _of("money made or lost by a sequence of calls that nobody thought of", "Vault", "pending[owner][token] = most - amount;", "", "forge/test_invariants.py::test_invariants_random_calls_hold"),
    _of("expiry in blocks", "rollup/core/queue", "TIMESTAMP_BITS) + QUEUE_EXPIRY_SECONDS", "TIMESTAMP_BITS) + QUEUE_EXPIRY_SECONDS // 12", "rollup/test_core_queue.py::test_queue_entry_is_hash_then_expiry"),
    _of("hostile recipient, gas burner, return bomb", "Vault", "if (!sent) revert EthTransferFailed(to, amount);", "", "contracts/test_rollup_withdrawals.py::test_withdraw_to_a_hostile_recipient_fails_alone_and_stays_pending"),
    _of("hostile recipient, gas burner, return bomb", "Vault", "sent := call(gas(), to, amount, 0, 0, 0, 0)", "sent := call(gas(), to, amount, 0, 0, 0, 0)\n            returndatacopy(mload(0x40), 0, returndatasize())", "contracts/test_rollup_withdrawals.py::test_withdraw_return_bomb_is_not_copied"),
    _of("odd tokens (fee, rebase, no return, hooks, blacklist)", "Vault", "return erc20.balanceOf(address(this)) - before;", "return before > 0 ? amount : amount;", "contracts/test_rollup_tokens.py::test_token_in_and_out"),
    _of("odd tokens (fee, rebase, no return, hooks, blacklist)", "Vault", "if (remaining + amount < before)", "if (false)", "contracts/test_rollup_tokens.py::test_token_on_every_path_while_it_misbehaves_moves_the_books_and_is_paid_when_it_stops"),
    _of("odd tokens (fee, rebase, no return, hooks, blacklist)", "Inbox", "function requestFullExit(uint32 accountId, uint16 token) external payable nonReentrant returns (uint64 index) {", "function requestFullExit(uint32 accountId, uint16 token) external payable returns (uint64 index) {", "contracts/test_rollup_tokens.py::test_token_hook_that_reenters_is_turned_away"),
    _of("parent check bypass, skipped or repeated block", "Chain", "if (hash != expected) revert", "if (hash != expected && block_.number != 0) revert", "contracts/test_rollup_commit.py::test_commit_on_a_zero_parent_is_refused"),
    _of("parent check bypass, skipped or repeated block", "Committer", "_requireNumber(committedBlocks(), parent);", "", "contracts/test_rollup_commit.py::test_commit_replayed_is_refused"),
    _of("uninitialised or front-run set-up", "Rollup", "_requireCode(verifier_);", "", "contracts/test_governor.py::test_rollup_constructor_refuses_addresses_without_code"),
    _of("replay on another chain or instance", "rollup/core/operations/base", "return poseidon(list(self.message_words(domain)))", "return poseidon(list(self.message_words(0)))", "rollup/test_core_signed.py::test_signed_operation_on_another_deployment_refused"),
    _of("codeless token", "Governor", "if (erc20.code.length == 0) revert TokenWithoutCode(erc20);", "", "contracts/test_rollup_tokens.py::test_token_without_code_cannot_be_listed"),
    _of("key mismatch", "libraries/Groth16", "return keccak256(abi.encode(shared, own));", "return keccak256(abi.encode(own, shared));", "contracts/test_block_verifier.py::test_key_hash_is_that_of_the_artefact"),
    _of("deployed code or key not that of the source", "Vault", "uint16 internal constant ETH = 0;", "uint16 internal constant ETH = 1;", "tools/test_artefacts.py::test_contracts_compiled_a_second_time_elsewhere_are_the_same"),
    _of("calldata not bound", "Rollup", "if (!Calldata.isExactly(abi.encode(parent, blocks, auth))) revert CalldataNotCanonical();", "", "contracts/test_rollup_commit_calldata.py::test_commit_non_canonical_offsets_are_refused"),
    _of("calldata not bound", "libraries/Calldata", "digest := keccak256(free, data.length)", "digest := keccak256(free, and(data.length, not(31)))", "contracts/test_rollup_commit_calldata.py::test_commit_every_flipped_byte_is_refused_or_another_block"),
    _of("key changed by a stranger, replayed, or with another account, key, nonce or fee than authorised", "KeyChanges", "if (signer == address(0) || signer != owner)", "if (signer == address(0))", "contracts/test_rollup_key_changes.py::test_commit_key_change_signed_by_another_is_refused"),
    _of("key changed by a stranger, replayed, or with another account, key, nonce or fee than authorised", "Committer", "change.nonce = uint32(w1.aux());", "", "contracts/test_rollup_key_changes.py::test_commit_key_change_other_than_signed_is_refused"),
    _of("key changed by a stranger, replayed, or with another account, key, nonce or fee than authorised", "KeyChanges", "VERSION_HASH, block.chainid, address(this)", "VERSION_HASH, block.chainid, address(0)", "contracts/test_rollup_key_changes.py::test_commit_key_change_signed_for_another_deployment_is_refused"),
    _of("deposit installs a stranger's key", "Inbox", "if (owner != msg.sender) revert KeyNotByOwner(owner, msg.sender);", "", "contracts/test_rollup_deposits.py::test_deposit_key_by_someone_else_is_refused"),
    _of("block too large to execute", "Vault", "emit PendingCredited(owner, token, amount);", "emit PendingCredited(owner, token, amount);\n        for (uint160 i = 1; i < 3; ++i) pending[address(uint160(owner) ^ (i << 100))][token] = 1;", "contracts/test_rollup_gas.py::test_gas_of_executing_the_most_withdrawals"),
    _of("data hidden in an internal call", "Committer", "if (msg.sender != tx.origin || msg.sender.code.length != 0) revert", "if (msg.sender.code.length != 0 && msg.sender == tx.origin) revert", "contracts/test_rollup_commit.py::test_commit_through_a_contract_is_refused"),
    _of("data hidden in an internal call", "Committer", "if (msg.sender != tx.origin || msg.sender.code.length != 0) revert", "if (msg.sender != tx.origin) revert", "contracts/test_rollup_commit.py::test_commit_by_an_account_with_delegated_code_is_refused"),
    _of("deposit that can never be credited", "Executor", "bool pays = op == OP_DEPOSIT ? w0.isRefused() : op != OP_CHANGE_PUB_KEY;", "bool pays = op != OP_DEPOSIT && op != OP_CHANGE_PUB_KEY;", "contracts/test_rollup_execute.py::test_execute_refused_deposit_goes_back_to_its_owner"),
    _of("exodus griefing", "Exodus", "if (!_isOverdue(expiry)) revert", "if (false) revert", "contracts/test_rollup_exodus.py::test_activate_without_an_unserved_entry_is_refused_however_late"),
    _of("exodus griefing", "Exodus", "uint40 expiry = _expiryOf(index);", "uint40 expiry = _expiryOf(index == 0 ? 0 : index - 1);", "contracts/test_rollup_exodus.py::test_activate_for_an_entry_in_a_proven_block_is_refused"),
    _of("limbo exit: block withheld, then forced exit", "Executor", "if (block_.number > provenBlocks()) revert", "if (false) revert", "contracts/test_rollup_exodus.py::test_exodus_proven_blocks_are_executed_and_unproven_ones_never"),
    _of("limbo exit: block withheld, then forced exit", "Exodus", "exodusQueueStart = index;", "exodusQueueStart = queueTotal();", "contracts/test_rollup_exodus.py::test_refund_of_what_an_unproven_block_took_in_is_done"),
    _of("exit from the executed root, then execute the withdrawal", "Exodus", "exodusRoot = lastProven.newRoot;", "exodusRoot = lastProven.oldRoot;", "contracts/test_rollup_exodus.py::test_exit_and_then_execute_the_block_that_holds_the_withdrawal_pays_once"),
    _of("exit proof replayed under another index", "Exodus", "if (accountId >> ACCOUNT_ID_BITS != 0) revert AccountOutOfRange(accountId);", "", "contracts/test_rollup_exodus.py::test_exit_account_plus_k_times_2_to_24_is_refused"),
    _of("exit proof replayed under another index", "Exodus", "if (token >= FIRST_ORDER_SLOT) revert TokenOutOfRange(token);", "", "contracts/test_rollup_exodus.py::test_exit_of_an_order_slot_or_a_token_plus_k_times_2_to_12_is_refused"),
    _of("revert with priority operations inside", "Reverter", "_setQueueCommitted(lastProven.queueEnd);", "", "contracts/test_rollup_reverting.py::test_revert_then_the_chain_goes_on_with_the_same_queue"),
    _of("state x function matrix", "Prover", "_requireNormal();", "", "contracts/test_rollup_modes.py::test_every_function_is_done_or_refused_as_the_table_says"),
    _of("state x function matrix", "Governor", "function setDepositsPaused(uint16 token, bool paused) external onlyOwner {", "function setDepositsPaused(uint16 token, bool paused) external {", "contracts/test_rollup_modes.py::test_every_function_by_every_caller_is_done_or_refused"),
    _of("state x function matrix", "Exodus", "function refundQueued(uint64 index, uint256[] calldata record) external nonReentrant {", "function refundQueued(uint64 index, uint256[] calldata record) external {", "contracts/test_rollup_modes.py::test_every_function_reentered_is_done_or_refused_as_the_table_says"),
    _of("upgradeable escape hatch", "Queue", "function _removeEntry(uint64 index) internal {", "function removeEntry(uint64 index) external {\n        _removeEntry(index);\n    }\n\n    function _removeEntry(uint64 index) internal {", "contracts/test_governor.py::test_rollup_has_no_function_of_the_governors"),
]  # fmt: skip

OPERATOR = [
    _of("server accepts what the circuit refuses", "rollup/core/rules/payments", "if account.exists and account.address != data.to_address:", "if False:", "rollup/test_core_model.py::test_state_random_operations_agree_with_the_reference_model"),
    _of("slow, serial, not resumable restore", "rollup/l1/node", "is_last = attempt + 1 == self._attempts\n", "is_last = True\n", "restore/test_restore_faults.py::test_restore_node_that_fails_sometimes_gives_the_state"),
    _of("a block of bytes that are no operations, which L1 takes, keeps receipts from being judged", "rollup/l1/promises", "published = lookup.find(number)\n", "published = lookup.find(number)\n        published.decode()\n", "node/test_receipt_garbage.py::test_judge_garbage_while_it_stands_is_a_breach_and_no_bar_to_what_is_above_it"),
    _of("a node lies to who rebuilds", "rollup/l1/feed", "if [commit.number for commit in group] != list(by_number):", "if False:", "restore/test_restore_lies.py::test_restore_lie_is_found_and_named"),
]  # fmt: skip

FAILING_VALIDATORS = [
    _of("A block that is not proven", "Reverter", "if (block.timestamp < deadline) revert", "if (block.timestamp + 1 < deadline) revert", "contracts/test_rollup_reverting.py::test_revert_one_second_early_is_refused"),
    _of("Then the chain goes on", "Reverter", "        _dropUnproven();\n", "", "contracts/test_rollup_reverting.py::test_revert_then_the_chain_goes_on_with_the_same_queue"),
    _of("Who stalls by blocks", "Reverter", "if (blamed != address(0)) suspended[blamed] = true;", "", "contracts/test_rollup_reverting.py::test_stalling_by_blocks_that_are_never_proven_costs_a_validator_each_time"),
    _of("Who stalls by blocks", "Committer", "if (suspended[msg.sender]) revert CommitterSuspended(msg.sender);", "", "contracts/test_rollup_reverting.py::test_suspended_committer_commits_no_more_in_either_way"),
    _of("A deposit or full exit is in a proven block", "Queue", "block.timestamp >= expiry;", "block.timestamp + 1 >= expiry;", "contracts/test_rollup_exodus.py::test_activate_one_second_early_is_refused"),
    _of("Nobody can put exodus off", "Prover", "_requireNoneOverdue(blocks[blocks.length - 1].queueEnd);", "", "contracts/test_rollup_exodus.py::test_overdue_entry_is_passed_by_no_proof_so_nobody_can_make_the_activation_stale"),
    _of("Nobody can put exodus off", "Rollup", "_requireNoneOverdue(block_.queueEnd);", "", "contracts/test_rollup_exodus.py::test_overdue_entry_is_passed_by_no_block_in_one_call_either"),
    _of("Who built on another's block", "Reverter", "Math.max(firstUnproven.committedAt + PROOF_DEADLINE_SECONDS, turn + PROOF_GRACE_SECONDS)", "turn > 0 ? firstUnproven.committedAt + PROOF_DEADLINE_SECONDS : PROOF_GRACE_SECONDS", "contracts/test_rollup_reverting.py::test_revert_leaves_who_built_on_anothers_block_an_hour_after_its_proof"),
    _of("Who built on another's block", "Reverter", "Math.min(blameFrom, firstUnproven.committedAt + PROOF_LIMIT_SECONDS)", "blameFrom + PROOF_LIMIT_SECONDS - PROOF_LIMIT_SECONDS", "contracts/test_rollup_reverting.py::test_revert_has_a_limit_where_graces_add_up_and_then_nobody_is_to_blame"),
    _of("No flood of exits", "Inbox", "if (queueTotal() == 0) revert NoDepositYet();", "", "contracts/test_rollup_deposits.py::test_full_exit_before_any_deposit_is_refused"),
    _of("In exodus everyone gets out", "Exodus", "_exited.set(place);", "", "contracts/test_rollup_exodus.py::test_exit_twice_is_refused_with_any_amount_and_owner"),
    _of("In exodus everyone gets out", "Exodus", "verify(proof, [exodusRoot, claim, amount])", "verify(proof, [exodusRoot, claim, 0])", "contracts/test_rollup_exodus.py::test_exit_verifier_is_asked_with_exodus_root_claim_and_amount"),
    _of("A withdrawal in a proven block", "Executor", "if (pays) _creditPending(w0.ownerOf(), w0.tokenOf(), w1.amountOf());", "if (pays && op == OP_DEPOSIT) _creditPending(w0.ownerOf(), w0.tokenOf(), w1.amountOf());", "contracts/test_rollup_exodus.py::test_exit_and_then_execute_the_block_that_holds_the_withdrawal_pays_once"),
    _of("What no proven block took in", "Exodus", "_removeEntry(index);", "", "contracts/test_rollup_exodus.py::test_refund_twice_is_refused"),
    _of("When all have left", "Vault", "accounted[token] -= amount;", "", "contracts/test_rollup_exodus.py::test_everybody_leaves_and_nothing_remains"),
    _of("A blacklisted owner", "Vault", "_payOut(msg.sender, token, to, amount);", "_payOut(msg.sender, token, msg.sender, amount);", "contracts/test_rollup_withdrawals.py::test_withdraw_to_frees_an_owner_that_cannot_receive"),
]  # fmt: skip

LYING_NODES = [
    _of("A receipt is believed only", "rollup/client/trust", "if receipt.commit_by > due:", "if False:", "client/test_client_lies.py::test_submit_answered_with_a_false_receipt_is_refused"),
    _of("A payment whose answer is lost", "rollup/client/retrying", "if not isinstance(operation, Swap):\n        return True", "if not isinstance(operation, Swap):\n        return False", "client/test_client_wallet.py::test_lost_answer_is_asked_for_again_and_paid_once"),
    _of("A node that says no", "rollup/client/wallet_core", "if any(wish(each) == wish(sent.operation) for each in operations):", "if False:", "client/test_client_lies.py::test_refusal_that_is_a_lie_signs_nothing_beside_it"),
    _of("No fee above", "rollup/client/wallet_core", "if max_fee is not None and fee > max_fee:", "if False:", "client/test_client_lies.py::test_quote_that_is_too_high_over_or_of_something_else_signs_nothing"),
    _of("With an L1 node of one's own", "rollup/client/trust", "if watch is None:\n", "if watch is None or deployment.validators:\n", "client/test_client_wires.py::test_signer_is_who_l1_says_whatever_the_manifest_has"),
    _of("With an L1 node of one's own", "rollup/client/trust", "if stage != Stage.EXECUTED:", "if False:", "client/test_client_wires.py::test_final_that_l1_does_not_know_is_denied"),
    _of("No answer crashes", "rollup/client/reading", 'each if each.isprintable() else "?"', "each", "client/test_client_core.py::test_words_of_a_node_cannot_move_the_terminals_cursor"),
]  # fmt: skip

PLANTS = [*CIRCUITS, *CONTRACTS, *OPERATOR, *FAILING_VALIDATORS, *LYING_NODES]

NOT_SEEN_YET: Mapping[str, str] = {
    "native/test_native_linker.py::test_public_signal_without_its_own_wire_is_refused": "the native extension is built anew",
    "native/test_native_linker.py::test_linked_block_equals_the_monolithic_one": "the native extension is built anew",
    "native/test_eddsa.py::test_verify_torsion_key_refuses": "the native extension is built anew",
}
"""Why a test is not in docs/planted_mistakes.json: the long run has it."""
