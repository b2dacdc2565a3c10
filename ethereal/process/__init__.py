"""Child processes: started here and nowhere else, each under a guard that leaves nothing of it behind.

Argument lists only, never shell strings from outside; every tool has a wall-clock limit.
"""

from ethereal.process.guarded import GuardedProcess, Stop, start_guarded
from ethereal.process.tool import ToolResult, run_tool

__all__ = ["GuardedProcess", "Stop", "ToolResult", "run_tool", "start_guarded"]
