"""The determinism guard at registration: what the source of a workflow shows is refused, and nothing else is."""

from __future__ import annotations

import dataclasses
import re
import sys
from typing import Any

import pytest
from user_modules import Module, module, workflow_source

from outlast.worker import Replayer, UnsandboxedWorkflowRunner
from outlast.worker.workflow_sandbox import (
    RestrictedWorkflowAccessError,
    SandboxedWorkflowRunner,
    SandboxMatcher,
    SandboxRestrictions,
)

__all__ = ["module"]

DEFAULT = SandboxRestrictions.default
MEMBERS = SandboxRestrictions.invalid_module_members_default

NOW, SECONDS = "Use workflow.now()", "Use workflow.time()"
RANDOM, UUID = "Use workflow.random()", "Use workflow.uuid4()"
ACTIVITY = "Do it in an activity"


@pytest.mark.parametrize(
    ("code", "name", "cure"),
    [
        ("clock.datetime.now()", "datetime.datetime.now", NOW),
        ("dt.now(tz=None)", "datetime.datetime.now", NOW),
        ("dt.utcnow()", "datetime.datetime.utcnow", NOW),
        ("print(f'{dt.today():%H}')", "datetime.datetime.today", NOW),
        ("date.today()", "datetime.date.today", "workflow.now().date()"),
        ("time.time()", "time.time", SECONDS),
        ("seconds()", "time.time", SECONDS),
        ("time.monotonic()", "time.monotonic", SECONDS),
        ("x = [time.perf_counter() for _ in range(3)]", "time.perf_counter", SECONDS),
        ("time.sleep(1)", "time.sleep", "await workflow.sleep"),
        ("nap(1)", "time.sleep", "await workflow.sleep"),
        ("random.random()", "random.random", RANDOM),
        ("random.shuffle([1])", "random.shuffle", RANDOM),
        ("pick([1, 2])", "random.choice", RANDOM),
        ("random.SystemRandom()", "random.SystemRandom", RANDOM),
        ("str(uuid.uuid4())", "uuid.uuid4", UUID),
        ("uuid4().hex", "uuid.uuid4", UUID),
        ("uuid.uuid1()", "uuid.uuid1", UUID),
        ("os.environ['A'] = '1'", "os.environ.__setitem__", "argument of the workflow"),
        ("del environ['A']", "os.environ.__delitem__", "argument of the workflow"),
        ("environ.update(A='1')", "os.environ.update", "argument of the workflow"),
        ("os.urandom(8)", "os.urandom", "workflow.random().randbytes"),
        ("secrets.token_hex()", "secrets.token_hex", RANDOM),
        ("secrets.choice([1])", "secrets.choice", RANDOM),
        ("threading.Thread(target=print).start()", "threading.Thread", "asyncio.gather"),
        ("concurrent.futures.ThreadPoolExecutor()", "concurrent.futures.ThreadPoolExecutor", "asyncio.gather"),
        ("mp.Process(target=print)", "multiprocessing", "asyncio.gather"),
        ("subprocess.run(['ls'])", "subprocess.run", ACTIVITY),
        ("os.system('ls')", "os.system", ACTIVITY),
        ("getcwd()", "os.getcwd", "argument of the workflow"),
        ("socket.socket()", "socket.socket", ACTIVITY),
        ("socket.create_connection(('a', 1))", "socket.create_connection", ACTIVITY),
        ("urllib.request.urlopen('http://a')", "urllib.request.urlopen", ACTIVITY),
        ("with open('a') as file: pass", "open", ACTIVITY),
        ("Path('a').read_text()", "pathlib.Path.read_text", ACTIVITY),
        ("pathlib.Path.cwd()", "pathlib.Path.cwd", ACTIVITY),
        ("os.path.exists('a')", "os.path.exists", ACTIVITY),
        ("os.listdir('.')", "os.listdir", ACTIVITY),
        ("tempfile.mkdtemp()", "tempfile.mkdtemp", ACTIVITY),
        ("shutil.rmtree('a')", "shutil.rmtree", ACTIVITY),
        ("sqlite3.connect('a')", "sqlite3.connect", ACTIVITY),
        ("await asyncio.to_thread(print)", "asyncio.to_thread", "asyncio.gather"),
        ("await asyncio.create_subprocess_exec('ls')", "asyncio.create_subprocess_exec", ACTIVITY),
        ("input()", "input", "Use a signal or an update"),
        ("breakpoint()", "breakpoint", "debug_mode=True"),
        ("import time as t; t.time()", "time.time", SECONDS),
        ("from datetime import datetime; datetime.now()", "datetime.datetime.now", NOW),
        ("await workflow.wait_condition(lambda: time.time() > 5)", "time.time", SECONDS),
        ("import requests; requests.get('http://a')", "requests.get", ACTIVITY),
        ("import httpx; httpx.AsyncClient()", "httpx.AsyncClient", ACTIVITY),
    ],
)
def test_refused_with_line_rule_and_cure(module: Module, code: str, name: str, cure: str) -> None:
    source = workflow_source(code)
    made = module(source)
    line = source.splitlines().index(f"        {code}") + 1
    with pytest.raises(RestrictedWorkflowAccessError) as refused:
        Replayer(workflows=[made.W])
    message = str(refused.value)
    assert re.search(rf"{re.escape(made.__file__ or '')}:{line} in W\.run: {re.escape(name)}\b", message), message
    assert cure in message
    assert refused.value.qualified_name.endswith(name.rpartition(".")[2]) or name in refused.value.qualified_name


@pytest.mark.parametrize(
    "code",
    [
        "workflow.now(); workflow.time(); workflow.uuid4(); workflow.random().random()",
        "random.Random(workflow.random_seed()).shuffle([1])",
        "rng = random.Random(5); rng.random(); rng.choice([1])",
        "uuid.UUID(int=5); uuid.uuid5(uuid.NAMESPACE_DNS, 'a')",
        "dt.fromisoformat('2020-01-01'); dt(2020, 1, 1) + timedelta(1); dt.strptime('1', '%d')",
        "os.path.join('a', 'b'); os.environ.get('A'); os.environ['A']; os.getenv('A'); os.fspath('a')",
        "Path('a') / 'b'; Path('a').name; str(Path('a').with_suffix('.x'))",
        "workflow.logger.info('a'); logging.getLogger('a').warning('b'); print('c')",
        "json.dumps({}); re.compile('a').match('b')",
        "await asyncio.sleep(1); await workflow.sleep(1); await asyncio.gather()",
        "await asyncio.wait([]); asyncio.as_completed([])",
        "threading.Lock(); asyncio.Lock()",
        "time.strftime('%H', time.gmtime(0))",
        "raise subprocess.CalledProcessError(1, 'a')",
        "open = len; open('a')",
        "time = workflow; time.time()",
        "with workflow.unsafe.sandbox_unrestricted(): time.time()",
        "if not workflow.unsafe.is_replaying(): print(time.time())",
        "x = workflow.time() if workflow.in_workflow() else time.time()",
        "await workflow.execute_activity(charge)",
        "await workflow.execute_local_activity(charge, 'a')",
        "stamp(); guarded(); careful()",
        "Model(name='a')",
    ],
)
def test_not_refused(module: Module, code: str) -> None:
    top = """
    from dataclasses import dataclass, field
    import pydantic

    class Base(pydantic.BaseModel):
        name: str
        at: dt = pydantic.Field(default_factory=dt.now)

    @dataclass
    class Model:
        name: str
        id: uuid.UUID = field(default_factory=uuid.uuid4)
        def save(self): open(self.name)

    @activity.defn
    async def charge(): return open(f"{time.time()}")

    def stamp():
        if workflow.in_workflow():
            return workflow.time()
        return time.time()

    def guarded():
        if not workflow.in_workflow():
            return time.time()
        return workflow.time()

    def careful():
        try:
            return workflow.time()
        except workflow._NotInWorkflowEventLoopError:
            return time.time()
    """
    Replayer(workflows=[module(workflow_source(code, top)).W])


def test_code_after_the_way_out_of_those_outside_is_looked_at(module: Module) -> None:
    top = """
    def stamp():
        if not workflow.in_workflow():
            raise RuntimeError
        return time.time()
    """
    with pytest.raises(RestrictedWorkflowAccessError, match=r"in stamp \(reached through W\.run\): time\.time"):
        Replayer(workflows=[module(workflow_source("stamp()", top)).W])


REACHED = """
import functools

def decorated(fn):
    @functools.wraps(fn)
    def wrapper(*args):
        return fn(*args)
    return wrapper

@decorated
def helper(): return time.time()

class Clock:
    def __init__(self): self.offset = time.monotonic()
    def read(self): return deeper()
    @staticmethod
    def zone(): return time.perf_counter()

def deeper(): return uuid.uuid4()
clock_instance = Clock()

def make():
    hidden = random.random
    def closed(): return hidden()
    return closed

closed = make()
"""


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("helper()", "helper"),
        ("Clock()", r"Clock\.__init__"),
        ("Clock.zone()", r"Clock\.zone"),
        ("clock_instance.read()", "deeper"),
        ("closed()", r"make\.<locals>\.closed"),
        ("functools.partial(helper)", None),
        ("print(helper)", None),
    ],
)
def test_functions_of_the_user_are_followed_where_they_are_called(module: Module, body: str, where: str | None) -> None:
    made = module(workflow_source(body, REACHED))
    if where is None:
        Replayer(workflows=[made.W])
    else:
        with pytest.raises(RestrictedWorkflowAccessError, match=rf"in {where} \(reached through W\.run"):
            Replayer(workflows=[made.W])


HANDLERS = """
from outlast import workflow
import time
from datetime import datetime

class Base:
    def helper(self):
        return time.time()

@workflow.defn
class W(Base):
    @workflow.init
    def __init__(self) -> None:
        self.a = time.monotonic()

    @workflow.run
    async def run(self) -> None:
        self.helper()

    @workflow.signal
    async def sig(self) -> None:
        time.perf_counter()

    @workflow.query
    def ask(self) -> str:
        return self.shown

    @property
    def shown(self) -> str:
        return str(datetime.now())

    @workflow.update
    async def upd(self) -> None:
        time.process_time()

    @upd.validator
    def check(self) -> None:
        time.thread_time()
"""


def test_all_methods_are_looked_at_and_all_findings_told(module: Module) -> None:
    with pytest.raises(RestrictedWorkflowAccessError) as refused:
        Replayer(workflows=[module(HANDLERS).W])
    for name in ("W.__init__", "Base.helper", "W.sig", "W.shown", "W.upd", "W.check"):
        assert f"in {name}" in str(refused.value)


def test_helpers_of_other_modules_and_relative_names(module: Module) -> None:
    module(
        "import time\nfrom datetime import datetime\nnow = datetime.now\ndef stamp(): return time.time()", "user_lib"
    )
    made = module(workflow_source("user_lib.stamp(); user_lib.now()", "import user_lib"))
    with pytest.raises(RestrictedWorkflowAccessError) as refused:
        Replayer(workflows=[made.W])
    assert "user_lib.py:4 in stamp (reached through W.run): time.time" in str(refused.value)
    assert "in W.run: datetime.datetime.now" in str(refused.value)


@pytest.mark.parametrize(
    "top",
    [
        "with workflow.unsafe.imports_passed_through():\n    import user_lib",
        "with workflow.unsafe.imports_passed_through():\n    from user_lib import stamp, Thing",
    ],
)
def test_what_is_passed_through_is_not_looked_into(module: Module, top: str) -> None:
    module("import time\ndef stamp(): return time.time()\nclass Thing:\n    def go(self): open('a')", "user_lib")
    code = "user_lib.stamp()" if "import user_lib" in top else "stamp(); Thing().go()"
    Replayer(workflows=[module(workflow_source(code, top)).W])


def runner(**changes: Any) -> SandboxedWorkflowRunner:
    return SandboxedWorkflowRunner(dataclasses.replace(DEFAULT, **changes))


@pytest.mark.parametrize(
    ("code", "lenient"),
    [
        ("time.time()", UnsandboxedWorkflowRunner()),
        ("time.time()", runner(invalid_module_members=MEMBERS.with_child_unrestricted("time", "time"))),
        ("dt.now()", runner(invalid_module_members=MEMBERS.with_child_unrestricted("datetime", "datetime", "now"))),
        ("open('a')", runner(invalid_module_members=SandboxMatcher.none)),
        ("import requests; requests.get('a')", SandboxedWorkflowRunner(DEFAULT.with_passthrough_modules("requests"))),
        ("user_lib.stamp()", SandboxedWorkflowRunner(DEFAULT.with_passthrough_modules("user_lib"))),
        ("user_lib.stamp()", SandboxedWorkflowRunner(DEFAULT.with_passthrough_all_modules())),
    ],
)
def test_restrictions_can_be_lifted(module: Module, code: str, lenient: Any) -> None:
    module("import time\ndef stamp(): return time.time()", "user_lib")
    made = module(workflow_source(code, "import user_lib"))
    Replayer(workflows=[made.W], workflow_runner=lenient)
    with pytest.raises(RestrictedWorkflowAccessError):
        Replayer(workflows=[made.W])


def test_a_class_can_opt_out(module: Module) -> None:
    source = workflow_source("time.time()").replace("@workflow.defn", "@workflow.defn(sandboxed=False)")
    made = module(source)
    Replayer(workflows=[made.W])
    with pytest.raises(RestrictedWorkflowAccessError):
        Replayer(workflows=[made.W], unsandboxed_workflow_runner=runner())


@pytest.mark.parametrize(
    ("code", "strict", "what"),
    [
        ("json.loads('1')", {"children": {"json": SandboxMatcher(use={"loads"})}}, r"json\.loads is forbidden"),
        (
            "x = os.sep",
            {"children": {"os": SandboxMatcher(access={"sep"}, only_runtime=True)}},
            r"os\.sep is forbidden",
        ),
        (
            "user_lib.stamp()",
            {"children": {"user_lib": SandboxMatcher(match_self=True, leaf_message="is for billing only")}},
            r"user_lib\.stamp is for billing only",
        ),
    ],
)
def test_restrictions_can_be_added(module: Module, code: str, strict: dict[str, Any], what: str) -> None:
    module("def stamp(): return 1", "user_lib")
    made = module(workflow_source(code, "import user_lib"))
    Replayer(workflows=[made.W])
    with pytest.raises(RestrictedWorkflowAccessError, match=what):
        Replayer(workflows=[made.W], workflow_runner=runner(invalid_module_members=MEMBERS | SandboxMatcher(**strict)))


@pytest.mark.parametrize("code", ["pass", "import decimal", "from fractions import Fraction"])
def test_modules_can_be_forbidden(module: Module, code: str) -> None:
    made = module(workflow_source(code, "import colorsys" if code == "pass" else ""))
    name = {"pass": "colorsys", "import decimal": "decimal"}.get(code, "fractions")
    strict = runner(invalid_modules=SandboxMatcher(access={name}))
    with pytest.raises(RestrictedWorkflowAccessError, match=f"{name} is forbidden by SandboxRestrictions"):
        Replayer(workflows=[made.W], workflow_runner=strict)
    Replayer(workflows=[made.W])


def test_breakpoints_are_for_debug_mode(module: Module) -> None:
    Replayer(workflows=[module(workflow_source("breakpoint()")).W], debug_mode=True)


def test_classes_without_source_are_left_to_the_run_time(module: Module) -> None:
    made = module("from outlast import workflow\n")
    exec(workflow_source("time.time()"), vars(made))
    Replayer(workflows=[made.W])


def test_nothing_is_imported_again(module: Module) -> None:
    made = module(workflow_source("Clock.zone.__name__", REACHED))
    before, functions = dict(sys.modules), dict(vars(made))
    Replayer(workflows=[made.W])
    Replayer(workflows=[made.W], workflow_runner=runner())
    assert dict(sys.modules) == before
    assert dict(vars(made)) == functions
