// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @notice The plainest ERC-20, and models of tokens that are out there. Everyone may mint.
contract PlainToken {
    string public constant symbol = "PLAIN";
    uint8 public constant decimals = 18;
    mapping(address => uint256) internal _balances;
    mapping(address => mapping(address => uint256)) public allowance;

    function balanceOf(address owner) public view virtual returns (uint256) {
        return _balances[owner];
    }

    function mint(address to, uint256 amount) external {
        _balances[to] += amount;
    }

    function approve(address spender, uint256 amount) external virtual returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external virtual returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external virtual returns (bool) {
        _spend(from, amount);
        _move(from, to, amount);
        return true;
    }

    function _spend(address from, uint256 amount) internal {
        allowance[from][msg.sender] -= amount;
    }

    function _move(address from, address to, uint256 amount) internal virtual {
        _balances[from] -= amount;
        _balances[to] += amount;
    }
}

/// @notice Returns nothing (USDT).
contract NoReturnToken {
    string public constant symbol = "NORETURN";
    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice Returns false and moves nothing.
contract FalseToken is PlainToken {
    bool public failing;

    function setFailing(bool failing_) external {
        failing = failing_;
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        if (failing) return false;
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external override returns (bool) {
        if (failing) return false;
        _spend(from, amount);
        _move(from, to, amount);
        return true;
    }
}

/// @notice Burns 1% of what the recipient gets.
contract FeeOnTransferToken is PlainToken {
    function _move(address from, address to, uint256 amount) internal override {
        _balances[from] -= amount;
        _balances[to] += amount - amount / 100;
    }
}

/// @notice Burns 1% more from the sender, when it is switched on.
contract FeeOnTopToken is PlainToken {
    bool public charging;

    function setCharging(bool charging_) external {
        charging = charging_;
    }

    function _move(address from, address to, uint256 amount) internal override {
        _balances[from] -= amount + (charging ? amount / 100 : 0);
        _balances[to] += amount;
    }
}

/// @notice Scales everybody's balance at will; inside, it counts shares.
contract RebasingToken is PlainToken {
    uint256 public percent = 100;

    function rebase(uint256 percent_) external {
        percent = percent_;
    }

    function balanceOf(address owner) public view override returns (uint256) {
        return (_balances[owner] * percent) / 100;
    }

    function _move(address from, address to, uint256 amount) internal override {
        super._move(from, to, (amount * 100) / percent);
    }
}

/// @notice Refuses addresses, or everybody (USDC, any paused token).
contract BlockingToken is PlainToken {
    error Blocked(address who);

    mapping(address => bool) public blocked;

    function setBlocked(address who, bool blocked_) external {
        blocked[who] = blocked_;
    }

    function _move(address from, address to, uint256 amount) internal override {
        if (blocked[from]) revert Blocked(from);
        if (blocked[to]) revert Blocked(to);
        super._move(from, to, amount);
    }
}

/// @notice Calls out around every transfer (ERC-777 and worse).
contract HookToken is PlainToken {
    address public target;
    bytes public data;
    bytes public lastReturn;
    bool public lastSuccess;
    uint256 public calls;

    receive() external payable {}

    function setHook(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    function _move(address from, address to, uint256 amount) internal override {
        _call();
        super._move(from, to, amount);
        _call();
    }

    function _call() private {
        if (target == address(0)) return;
        address to = target;
        ++calls;
        target = address(0);
        (lastSuccess, lastReturn) = to.call{value: address(this).balance}(data);
        target = to;
    }
}

/// @notice Answers a transfer with far more than a bool.
contract BombToken is PlainToken {
    bool public armed;

    function arm(bool armed_) external {
        armed = armed_;
    }

    function _move(address from, address to, uint256 amount) internal override {
        super._move(from, to, amount);
        if (armed) {
            assembly {
                mstore(0, 1)
                return(0, 500000)
            }
        }
    }
}

/// @notice Burns all gas when it is switched on.
contract BurningToken is PlainToken {
    bool public burning;

    function setBurning(bool burning_) external {
        burning = burning_;
    }

    function _move(address from, address to, uint256 amount) internal override {
        if (burning) {
            assembly {
                invalid()
            }
        }
        super._move(from, to, amount);
    }
}

/// @notice Says yes and moves nothing.
contract LyingToken is PlainToken {
    function _move(address, address, uint256) internal override {}
}

/// @notice Describes itself in any bytes; reverts for what it has none.
contract OddlyNamedToken {
    mapping(bytes4 selector => bytes) public answers;

    function answer(bytes4 selector, bytes calldata bytes_) external {
        answers[selector] = bytes_;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        require(answers[msg.sig].length > 0, "no such function");
        return answers[msg.sig];
    }
}
