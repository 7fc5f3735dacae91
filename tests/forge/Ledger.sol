// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {
    FLAG_REFUSED,
    FLAG_SENDER_IS_OWNER,
    OP_CHANGE_PUB_KEY,
    OP_DEPOSIT,
    OP_FORCED_EXIT,
    OP_FULL_EXIT,
    OP_WITHDRAW
} from "../../contracts/generated/Constants.sol";
import {KeyChange} from "../../contracts/interfaces/IRollup.sol";
import {Page} from "./Page.sol";
import {VM} from "./Vm.sol";
import {World} from "./World.sol";

/// @notice L2 as a validator keeps it: each step of a block moves the ledger and writes chunk and record.
abstract contract Ledger is World {
    /// A block in the making.
    struct Draft {
        uint64 number;
        uint64 timestamp;
        uint256 queueCount;
        uint256 feesGwei;
        bytes l2;
        bytes l1;
        bytes keyAuth;
    }

    uint256 private constant OP_TRANSFER = 3;

    function _step(Draft memory draft, uint256 seed) internal {
        uint256 kind = seed % 10;
        if (kind < 5) {
            if (queueTaken < queue.length) _takeQueued(draft, kind == 0);
            return;
        }
        (uint32 id, uint16 token) = _fundedAccount(seed >> 8);
        if (kind == 5) _changeKey(draft, id, token, seed >> 64);
        if (token == TOKENS) return;
        if (kind == 6) _withdrawTo(draft, id, token, seed >> 64);
        else if (kind == 7) _forcedExit(draft, id, token);
        else if (kind >= 8) _transfer(draft, id, token, seed >> 64);
    }

    function _takeQueued(Draft memory draft, bool refuse) internal {
        Entry memory entry = queue[queueTaken++];
        ++draft.queueCount;
        draft.feesGwei += entry.feeGwei;
        if (entry.isDeposit) _takeDeposit(draft, entry, refuse);
        else _takeFullExit(draft, entry);
    }

    function _takeDeposit(Draft memory draft, Entry memory entry, bool refuse) private {
        uint32 id = 0;
        uint256 flags = entry.senderIsOwner ? FLAG_SENDER_IS_OWNER : 0;
        queued[entry.token] -= entry.amount;
        if (refuse) {
            flags |= FLAG_REFUSED;
            _payOut(draft, entry.owner, entry.token, entry.amount);
        } else {
            for (uint256 i = 0; i < ACTORS; ++i) {
                if (actors[i] == entry.owner) id = _accountOf(i);
            }
            accounts[id].balances[entry.token] += entry.amount;
            onL2[entry.token] += entry.amount;
            if (entry.ay != 0) accounts[id].hasKey = true;
        }
        uint256 w0 = Page.word0(OP_DEPOSIT, flags, id, entry.token, entry.owner);
        draft.l1 =
            bytes.concat(draft.l1, abi.encode(w0, uint256(entry.feeGwei) << 128 | entry.amount, entry.ax, entry.ay));
        _chunk(draft, OP_DEPOSIT);
    }

    function _takeFullExit(Draft memory draft, Entry memory entry) private {
        uint128 amount = 0;
        if (_ownerOf(entry.account) == entry.owner) amount = accounts[entry.account].balances[entry.token];
        if (amount != 0) _leave(draft, entry.account, entry.token, entry.owner, amount);
        uint256 w0 = Page.word0(OP_FULL_EXIT, 0, entry.account, entry.token, entry.owner);
        draft.l1 = bytes.concat(draft.l1, abi.encode(w0, uint256(entry.feeGwei) << 128 | amount));
        _chunk(draft, OP_FULL_EXIT);
    }

    function _withdrawTo(Draft memory draft, uint32 id, uint16 token, uint256 seed) private {
        if (!accounts[id].hasKey) return;
        uint128 amount = _some(seed, accounts[id].balances[token]);
        address to = _actor(seed);
        ++accounts[id].nonce;
        _leave(draft, id, token, to, amount);
        draft.l1 = bytes.concat(draft.l1, abi.encode(Page.word0(OP_WITHDRAW, 0, id, token, to), amount));
        _chunk(draft, OP_WITHDRAW);
    }

    /// @dev Paid for by somebody else, with a fee of 0.
    function _forcedExit(Draft memory draft, uint32 id, uint16 token) internal {
        if (accounts[id].hasKey) return;
        uint128 amount = accounts[id].balances[token];
        _leave(draft, id, token, _ownerOf(id), amount);
        uint256 w0 = Page.word0(OP_FORCED_EXIT, 0, id, token, _ownerOf(id));
        draft.l1 = bytes.concat(draft.l1, abi.encode(w0, amount));
        _chunk(draft, OP_FORCED_EXIT);
    }

    function _transfer(Draft memory draft, uint32 id, uint16 token, uint256 seed) private {
        if (!accounts[id].hasKey) return;
        uint128 amount = _some(seed, accounts[id].balances[token]);
        ++accounts[id].nonce;
        _pay(id, _accountOf(seed % ACTORS), token, amount);
        _chunk(draft, OP_TRANSFER);
    }

    /// @notice By the stored approval if it still holds, else by a signature, if the owner can sign.
    function _changeKey(Draft memory draft, uint32 id, uint16 token, uint256 seed) private {
        KeyChange memory change = accounts[id].approved;
        bytes memory auth = abi.encodePacked(bytes32(0), bytes32(0), uint8(0), change.validUntil);
        if (!_isApproved(draft, id, change)) {
            if (id > SIGNERS) return;
            change = KeyChange(id, accounts[id].nonce, 0, 0, token % TOKENS, 0, uint40(draft.timestamp + seed % 99));
            (change.ax, change.ay) = _key(seed);
            change.fee = _some(seed, accounts[id].balances[change.feeToken]);
            auth = _signed(id, change);
        }
        ++accounts[id].nonce;
        accounts[id].hasKey = true;
        _pay(id, _accountOf(FIRST_VALIDATOR), change.feeToken, change.fee);
        uint256 w0 = Page.word0(OP_CHANGE_PUB_KEY, 0, id, change.feeToken, _ownerOf(id));
        draft.l1 =
            bytes.concat(draft.l1, abi.encode(w0, uint256(change.nonce) << 128 | change.fee, change.ax, change.ay));
        draft.keyAuth = bytes.concat(draft.keyAuth, auth);
        _chunk(draft, OP_CHANGE_PUB_KEY);
    }

    function _isApproved(Draft memory draft, uint32 id, KeyChange memory change) private view returns (bool) {
        if (change.accountId != id || change.nonce != accounts[id].nonce) return false;
        if (change.validUntil < draft.timestamp || change.fee > accounts[id].balances[change.feeToken]) return false;
        // Somebody else may have approved it for himself, which does the owner nothing.
        return rollup.keyChangeApproved(_ownerOf(id), rollup.keyChangeDigest(change));
    }

    /// @param privateKey An account's id is its owner's, of those who have one.
    function _signed(uint256 privateKey, KeyChange memory change) internal view returns (bytes memory auth) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(privateKey, rollup.keyChangeDigest(change));
        return abi.encodePacked(r, s, v, change.validUntil);
    }

    /// @notice The words of a queue entry's record.
    /// @param flags Of the operator's, for a deposit.
    function _record(uint256 index, uint256 flags) internal view returns (uint256[] memory words) {
        Entry memory entry = queue[index];
        words = new uint256[](entry.isDeposit ? 4 : 2);
        words[1] = uint256(entry.feeGwei) << 128 | entry.amount;
        if (!entry.isDeposit) {
            words[0] = Page.word0(OP_FULL_EXIT, 0, entry.account, entry.token, entry.owner);
            return words;
        }
        if (entry.senderIsOwner) flags |= FLAG_SENDER_IS_OWNER;
        words[0] = Page.word0(OP_DEPOSIT, flags, 0, entry.token, entry.owner);
        (words[2], words[3]) = (entry.ax, entry.ay);
    }

    // ---- Going back ----

    /// @notice Remembers L2 as it is after a block.
    function _save(uint64 number) internal {
        Saved storage after_ = saved[number];
        for (uint256 i = 0; i < ACTORS; ++i) {
            Account storage account = accounts[_accountOf(i)];
            (after_.nonces[i], after_.hasKeys[i]) = (account.nonce, account.hasKey);
            for (uint16 token = 0; token < TOKENS; ++token) {
                after_.balances[i][token] = account.balances[token];
            }
        }
    }

    /// @notice Takes L2, queue and chain back to the last proven block.
    function _dropUnproven() internal {
        for (uint64 number = uint64(chain.length - 1); number > proven; --number) {
            Credit[] storage due = credits[number];
            for (uint256 i = 0; i < due.length; ++i) {
                onTheWay[due[i].token] -= due[i].amount;
            }
            delete credits[number];
            delete streams[number];
            chain.pop();
        }
        uint256 taken = chain[proven].queueEnd;
        while (queueTaken > taken) {
            Entry storage entry = queue[--queueTaken];
            if (entry.isDeposit) queued[entry.token] += entry.amount;
            queued[ETH] += uint256(entry.feeGwei) * 1 gwei;
        }
        _restore(saved[proven]);
    }

    function _restore(Saved storage before) private {
        for (uint16 token = 0; token < TOKENS; ++token) {
            onL2[token] = 0;
            for (uint256 i = 0; i < ACTORS; ++i) {
                accounts[_accountOf(i)].balances[token] = before.balances[i][token];
                onL2[token] += before.balances[i][token];
            }
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            Account storage account = accounts[_accountOf(i)];
            (account.nonce, account.hasKey) = (before.nonces[i], before.hasKeys[i]);
        }
    }

    // ---- Moves ----

    function _pay(uint32 from, uint32 to, uint16 token, uint128 amount) private {
        accounts[from].balances[token] -= amount;
        accounts[to].balances[token] += amount;
    }

    function _leave(Draft memory draft, uint32 id, uint16 token, address to, uint128 amount) private {
        accounts[id].balances[token] -= amount;
        onL2[token] -= amount;
        _payOut(draft, to, token, amount);
    }

    /// @notice What the block pays out when it is executed.
    function _payOut(Draft memory draft, address to, uint16 token, uint256 amount) internal {
        onTheWay[token] += amount;
        credits[draft.number].push(Credit(to, token, uint128(amount)));
    }

    /// @dev The contract does not read the L2 stream; it is of the right length, and all of it counts for Y.
    function _chunk(Draft memory draft, uint256 op) private pure {
        draft.l2 = bytes.concat(draft.l2, bytes15(uint120(op << 116 | draft.l2.length)));
    }

    /// @dev The token is TOKENS if the account has nothing.
    function _fundedAccount(uint256 seed) private view returns (uint32 id, uint16 token) {
        id = _accountOf(seed % ACTORS);
        for (uint256 i = 0; i < TOKENS; ++i) {
            token = uint16((seed / ACTORS + i) % TOKENS);
            if (accounts[id].balances[token] != 0) return (id, token);
        }
        return (id, TOKENS);
    }
}
