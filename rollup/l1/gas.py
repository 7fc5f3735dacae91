"""What the gas of a block's transaction was spent for, as far as it can be told apart."""

from rollup.l1.rpc import JsonRpc, RpcError
from rollup.l1.sending import BASE_GAS, Sent


def verification_gas(rpc: JsonRpc, verifier: str, sent: Sent) -> int:
    """Return what a transaction spent inside the verifier at this address, 0 if the node cannot trace."""
    try:
        trace = rpc("debug_traceTransaction", sent.transaction, {"tracer": "callTracer"})
    except RpcError:
        return 0
    waiting, total = [trace], 0
    while waiting:
        call = waiting.pop()
        if str(call.get("to", "")).lower() == verifier.lower():
            total += int(call["gasUsed"], 16)
        else:
            waiting.extend(call.get("calls", []))
    return min(total, sent.gas_used - BASE_GAS)
