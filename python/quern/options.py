# SPDX-License-Identifier: Apache-2.0
"""How sessions are made and how runs are done."""
import enum
import time

from . import _quern


class GraphOptimizationLevel(enum.IntEnum):
    """Which rewrites of the graph are made: none, or all; there is nothing between."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(enum.IntEnum):
    """Steps run one after the other, each on all threads, in either mode."""

    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class SessionOptions:
    """How a session is made.  A name that is not here cannot be set, so that a misspelt one is noticed.

    The first group is ONNX Runtime's; what says `accepted` changes nothing here.
    """

    __slots__ = (
        "intra_op_num_threads", "inter_op_num_threads", "execution_mode", "graph_optimization_level",
        "log_severity_level", "log_verbosity_level", "logid", "enable_cpu_mem_arena", "enable_mem_pattern",
        "enable_mem_reuse", "enable_profiling", "use_deterministic_compute", "_entries",
        "strict", "without", "no_reference", "keep_all", "free_dim", "states", "folder", "allow_overrides",
        "max_iterations", "max_steps", "limit_bytes",
    )

    def __init__(self):
        self.intra_op_num_threads = 0  # of a run; 0: as many as the process may use
        self.inter_op_num_threads = 0  # accepted
        self.execution_mode = ExecutionMode.ORT_SEQUENTIAL  # accepted
        self.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_ALL
        self.log_severity_level = 2  # accepted, as the next six: the library never prints
        self.log_verbosity_level = 0
        self.logid = ""
        self.enable_cpu_mem_arena = True
        self.enable_mem_pattern = True
        self.enable_mem_reuse = True
        self.enable_profiling = False
        self.use_deterministic_compute = False  # results never depend on threads anyway
        self._entries = {}
        # quern's own.
        self.strict = False  # no kernel whose error grows beyond that of plain sums
        self.without = None  # passes to leave out, "fold-constants,cse", or "all"
        self.no_reference = False  # a step that only the slow reference can compute is an error
        self.keep_all = False  # every tensor of the model survives: no fusion across named values
        self.free_dim = 0  # the size assumed for open dimensions when costs are weighed; 0: the default
        self.states = None  # [(input, output)] kept from run to run; None: past* and present* that match; []: none
        self.folder = None  # where external data lies; None: beside the file
        self.allow_overrides = False  # initializers that are also inputs may be given
        self.max_iterations = 0  # of each loop in a run; 0: 2^31
        self.max_steps = 0  # of a run; 0: 2^40
        self.limit_bytes = 0  # activation memory; 0: no limit

    def add_session_config_entry(self, key, value):
        """Accepted, and given back by get_session_config_entry."""
        self._entries[str(key)] = str(value)

    def get_session_config_entry(self, key):
        if key not in self._entries:
            raise _quern.NotFound(f"there is no session configuration '{key}'")
        return self._entries[key]

    def plan_arguments(self):
        """What the plan is told, as arguments of _quern.Plan."""
        is_plain = self.graph_optimization_level == GraphOptimizationLevel.ORT_DISABLE_ALL
        states = None if self.states is None else tuple(name for pair in self.states for name in pair)
        return {"folder": self.folder, "allow_overrides": self.allow_overrides, "strict": self.strict,
                "without": "all" if is_plain else self.without, "no_reference": self.no_reference,
                "keep_all": self.keep_all, "free_dim": self.free_dim, "states": states}

    def session_arguments(self):
        """What each session is told, as arguments of _quern.Session."""
        return {"max_iterations": self.max_iterations, "max_steps": self.max_steps, "limit_bytes": self.limit_bytes}


class RunOptions:
    """How one run is done.  `terminate = True`, from any thread, ends the runs that were given this object."""

    __slots__ = ("log_severity_level", "log_verbosity_level", "logid", "tag", "only_execute_path_to_fetches",
                 "threads", "timeout", "seed", "_cancel")

    def __init__(self):
        self.log_severity_level = 2  # accepted, as the next four
        self.log_verbosity_level = 0
        self.logid = ""
        self.tag = ""
        self.only_execute_path_to_fetches = False
        # quern's own.
        self.threads = 0  # at most so many; 0: all of the session's
        self.timeout = None  # seconds
        self.seed = 0  # for random operators; 0: the session's own sequence
        self._cancel = _quern.Cancel()

    @property
    def terminate(self):
        return self._cancel.is_cancelled

    @terminate.setter
    def terminate(self, value):
        self._cancel.is_cancelled = value

    def run_arguments(self):
        """What the run is told, as arguments of Session.run."""
        deadline = 0 if self.timeout is None else max(1, time.monotonic_ns() + int(self.timeout * 1e9))
        return {"cancel": self._cancel, "deadline_ns": deadline, "threads": self.threads, "seed": self.seed}
