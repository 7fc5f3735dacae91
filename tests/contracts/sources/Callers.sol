// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @notice Calls anything for anybody, and keeps what came back.
contract Forwarder {
    bool public lastSuccess;
    bytes public lastReturn;

    receive() external payable {}

    function forward(address target, bytes calldata data) external payable {
        (bool success, bytes memory result) = target.call{value: msg.value}(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }
}

/// @notice A recipient that misbehaves when it is paid.
contract Recipient {
    enum Mode {
        Accept,
        Revert,
        BurnGas,
        ReturnBomb,
        RevertBomb,
        Reenter
    }

    Mode public mode;
    address public target;
    bytes public data;
    bytes public lastReturn;
    bool public lastSuccess;

    function set(Mode mode_, address target_, bytes calldata data_) external {
        (mode, target, data) = (mode_, target_, data_);
    }

    receive() external payable {
        if (mode == Mode.Revert) revert("no");
        if (mode == Mode.BurnGas) {
            assembly {
                invalid()
            }
        }
        if (mode == Mode.ReturnBomb) {
            assembly {
                return(0, 500000)
            }
        }
        if (mode == Mode.RevertBomb) {
            assembly {
                revert(0, 500000)
            }
        }
        if (mode == Mode.Reenter) (lastSuccess, lastReturn) = target.call(data);
    }
}
