"""Runs the tools that an agent leaves to the bridge, and says what became of its requests."""

from collections.abc import Callable, Sequence
from functools import partial

from functions.bridge import wording
from functions.bridge.agents.events import ToolAnswer, ToolRequest, Wanted
from functions.bridge.agents.tools import ToolCall, ToolFunctions, ToolResult
from functions.bridge.ledger.pauses import Decided, Decision
from functions.bridge.turn import Turn
from functions.bridge.turns.approvals import ApprovalRules
from functions.bridge.turns.outcome import Outcome
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.stop_watch import StopWatch

# So often a tool that runs is looked after, in seconds.
EVERY = 0.25


class ToolRunner:
    """Answers the requests of one turn's agent."""

    def __init__(
        self, turn: Turn, ports: Ports, functions: ToolFunctions, rules: ApprovalRules, outcome: Outcome
    ) -> None:
        self._turn = turn
        self._ports = ports
        self._functions = functions
        self._rules = rules
        self._outcome = outcome

    def answers(
        self, requests: Sequence[ToolRequest], decision: Decision | None, watch: StopWatch, *, until: float
    ) -> tuple[ToolAnswer, ...] | None:
        """An answer to each request, for which a tool may have run; None when a person pressed Stop.

        Args:
            decision: about all of them; None where nobody has to approve any.
            until: when no tool is waited for any longer, seconds since the epoch.
        """
        answers: list[ToolAnswer] = []
        for request in requests:
            answer = self._answer(request, decision, watch, until)
            if watch.stop is not None:
                return None
            answers.append(answer)
        return tuple(answers)

    def _answer(
        self, request: ToolRequest, decision: Decision | None, watch: StopWatch, until: float
    ) -> ToolAnswer:
        may_run = not self._rules.needs_person(request) if decision is None else decision.is_approval
        if not may_run:
            expired = decision is not None and decision.decided is Decided.EXPIRED
            reason = wording.TOLD_EXPIRED if expired else decision.reason if decision else ""
            return ToolAnswer(request, is_approved=False, reason=reason)
        if request.wanted is Wanted.CONSENT:
            return ToolAnswer(request, is_approved=True)
        tool = self._rules.tools.get(request.name)
        if tool is None:
            self._outcome.note(f"the tool {request.name} is in bridge.toml no longer")
            return ToolAnswer(request, is_approved=True, result=wording.TOOL_NOT_STARTED, has_failed=True)
        function = tool.function
        if not function:  # the decision itself is the result
            return ToolAnswer(request, is_approved=True, result=wording.TOLD_APPROVED)
        if self._ports.clock.now() >= until:  # the agent would not be told what it did
            self._outcome.note(f"the tool {request.name} was not started: there was no time left")
            return ToolAnswer(request, is_approved=True, result=wording.TOOL_NOT_STARTED, has_failed=True)
        approved_by = decision.user if decision else ""
        call = ToolCall(function, request.name, request.arguments, self._turn, approved_by)
        timeout = max(1.0, until - self._ports.clock.now())
        result = self._watched(partial(self._functions.call, call, timeout=timeout), watch, until)
        if result.detail:
            self._outcome.note(f"the tool {request.name}: {result.detail}")
        return ToolAnswer(request, is_approved=True, result=result.text, has_failed=result.has_failed)

    def _watched(self, call: Callable[[], ToolResult], watch: StopWatch, until: float) -> ToolResult:
        """Call a tool, keeping the lease meanwhile. Nobody waits for it after a press of Stop."""
        over: list[bool] = []

        def run() -> ToolResult:
            try:
                return call()
            finally:
                over.append(True)

        wait = self._ports.beside(run)
        while not over and watch.stop is None and self._ports.clock.now() < until:
            watch.pause(EVERY)
        if watch.stop is None:
            return wait()
        self._outcome.agent_may_go_on = True  # the tool does
        return ToolResult("", has_failed=True)
