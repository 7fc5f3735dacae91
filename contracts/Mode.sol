// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IRollup} from "./interfaces/IRollup.sol";

/// @notice Normal operation, or exodus; there is no way back from exodus.
/// @dev A flag beside the chain's counters, in their slot: `exodusRoot` tells the same, in a slot of its own.
abstract contract Mode is IRollup {
    bool private _isExodus;

    // ---- Internal ----

    function _requireNormal() internal view {
        if (_isExodus) revert ExodusIsActive();
    }

    function _requireExodus() internal view {
        if (!_isExodus) revert ExodusNotActive();
    }

    function _enterExodus() internal {
        _isExodus = true;
    }
}
