"""Two replicas, PostgreSQL and Redis behind the load balancer that `deploy/` ships, all on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from core.accounts.token_commands import TokenCommand, sign
from tests.support.balancer import balancer, nginx
from tests.support.browsing import sign_in
from tests.support.chatting import ask, choose_model, messages, stop_button, wait_until_answered, write_registry
from tests.support.live_server import LiveServer, free_port, start_server, wait_for
from tests.support.postgres import PostgresServer
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer
from tests.support.redis_server import RedisServer, redis_server

PASSWORD = "correct horse battery"
SECRET = "5e" * 32
_CHATS = "select status from attempts where source = 'chat' order by id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    url: str
    replicas: dict[str, LiveServer]
    redis: RedisServer
    postgres: PostgresServer
    database: str

    def query(self, sql: str) -> list[str]:
        return self.postgres.run(sql, database=self.database).split()

    def owner(self) -> LiveServer:
        """The replica that answers the running turn."""
        # The newest: what a first try of a test left running, or a title that is being found, has an owner too.
        sql = (
            "select split_part(name, ':', 2) from turn_owners join replicas on replicas.id = turn_owners.owner "
            "order by turn_id desc limit 1"
        )
        [port] = wait_for(lambda: self.query(sql), what="the owner of a turn")
        return self.replicas[port]


@pytest.fixture(name="cluster", scope="module")
def _cluster(tmp_path_factory, postgres) -> Iterator[Cluster]:
    program = nginx()
    if program is None:
        pytest.skip("there is no nginx on this machine")
    directory = tmp_path_factory.mktemp("replicas")
    with ExitStack() as stack:
        provider = stack.enter_context(ProviderServer())
        provider.behave("swift", say("A short answer."))
        provider.behave("html", say(" ".join(f"word{number}" for number in range(80)), tokens_per_second=20))
        provider.behave("steady", say(" ".join(f"word{number}" for number in range(1000)), tokens_per_second=20))
        redis = stack.enter_context(redis_server(directory))
        store = postgres.create()
        start = partial(_start, directory, provider, store, redis.url)
        # At the same time, as an orchestrator does: the tables are made once, and so is the administrator.
        with ThreadPoolExecutor(2) as threads:
            replicas = list(threads.map(start, ("one", "two")))
        for replica in replicas:
            stack.callback(replica.stop)
        addresses = [replica.url.removeprefix("http://") for replica in replicas]
        url = stack.enter_context(balancer(program, directory, addresses))
        yield Cluster(
            url=url,
            replicas={address.partition(":")[2]: one for address, one in zip(addresses, replicas, strict=True)},
            redis=redis,
            postgres=postgres,
            database=store.partition("?")[0].rpartition("/")[2],
        )


def _start(directory: Path, provider: ProviderServer, store: str, redis_url: str, name: str) -> LiveServer:
    own = directory / name
    own.mkdir()
    return start_server(
        own,
        port=free_port(),
        SWITCHBOARD_STORE=store,
        SWITCHBOARD_REDIS=redis_url,
        SWITCHBOARD_SESSION_SECRET=SECRET,
        SWITCHBOARD_DRAIN_S="10",
        SWITCHBOARD_FILES=str(directory / "files"),
        SWITCHBOARD_ADMIN_PASSWORD=PASSWORD,
        SWITCHBOARD_MODELS=str(write_registry(own / "models.yaml", provider)),
    )


def test_a_token_counts_its_requests_on_both_replicas_and_ends_on_both(cluster: Cluster) -> None:
    one, two = cluster.replicas.values()
    text = _command(one, action="create", name="script", rpm_limit=2)["token"]
    asked = {"model": "swift", "messages": [{"role": "user", "content": "Hi."}]}

    def ask_script(replica: LiveServer) -> httpx.Response:
        head = {"authorization": f"Bearer {text}"}
        url = f"{replica.url}/v1/chat/completions"
        return httpx.post(url, json=asked, headers=head, trust_env=False, timeout=20)

    assert ask_script(one).headers["x-ratelimit-remaining-requests"] == "1"
    wait_for(lambda: ask_script(two).status_code == 429, what="the other replica to have counted the request")
    assert ask_script(one).status_code == 429
    _command(one, action="revoke", token="script")
    assert (ask_script(one).status_code, ask_script(two).status_code) == (401, 401)


def _command(replica: LiveServer, **wanted: object) -> dict[str, str]:
    command = TokenCommand.model_validate({"user": "admin", **wanted})
    signed = {"signed": sign(command, secret=SECRET)}
    answer = httpx.post(f"{replica.url}/api/local/tokens", json=signed, trust_env=False, timeout=20)
    told: dict[str, str] = answer.raise_for_status().json()
    return told


def test_a_tab_on_the_other_replica_follows_the_answer_and_stops_it(page: Page, cluster: Cluster) -> None:
    page.goto(cluster.url)
    sign_in(page, "admin", PASSWORD)
    choose_model(page, "Steady")
    ask(page, "A long story")
    expect(messages(page).nth(1)).to_contain_text("word5", timeout=30_000)
    owner = cluster.owner()
    [other] = [replica for replica in cluster.replicas.values() if replica is not owner]

    # The same browser, past the balancer: its session counts there as well.
    elsewhere = page.context.new_page()
    elsewhere.goto(f"{other.url}/?{page.url.partition('?')[2]}")
    expect(messages(elsewhere).nth(1)).to_contain_text("word40", timeout=30_000)
    stop_button(elsewhere).click()

    for tab in (elsewhere, page):
        expect(messages(tab).nth(1)).to_contain_text("stopped", timeout=10_000)
    assert cluster.query(_CHATS) == ["stopped"]


def test_nothing_is_lost_when_a_replica_dies_in_mid_answer(page: Page, cluster: Cluster) -> None:
    page.goto(cluster.url)
    sign_in(page, "admin", PASSWORD)
    ask(page, "Will you remember?")
    wait_until_answered(page, 2)
    choose_model(page, "Steady")
    ask(page, "A long story")
    expect(messages(page).nth(3)).to_contain_text("word60", timeout=30_000)

    dying = cluster.owner()
    dying.process.kill()
    dying.process.wait()

    # The balancer leads the same page, and the same session, to the other one. It ends the turn within 30 seconds.
    page.goto(page.url)
    expect(messages(page).nth(1)).to_contain_text("A short answer.")
    expect(messages(page).nth(3)).to_contain_text("interrupted", timeout=40_000)
    expect(messages(page).nth(3)).to_contain_text("word20")
    choose_model(page, "Swift")
    ask(page, "Are you there?")
    wait_until_answered(page, 6)
    assert cluster.query(_CHATS) == ["stopped", "ok", "interrupted", "ok"]
    assert cluster.query("select count(*) from turn_owners") == ["0"]

    # The other one is stopped in order: it answers to the end, and sends everybody else away meanwhile.
    choose_model(page, "Html")
    ask(page, "One more")
    expect(messages(page).nth(7)).to_contain_text("word5", timeout=30_000)
    stopping = cluster.owner()
    stopping.process.terminate()
    health = wait_for(lambda: _draining(stopping), what="the replica to say that it is being stopped")
    assert (health.status_code, health.json()["status"]) == (503, "draining")
    assert httpx.get(stopping.url, trust_env=False).status_code == 503
    expect(messages(page).nth(7)).to_contain_text("word79", timeout=15_000)
    assert stopping.process.wait(20) == 0
    assert cluster.query(_CHATS)[-1:] == ["ok"]
    assert cluster.query("select count(*) from replicas") == ["0"]


def _draining(replica: LiveServer) -> httpx.Response | None:
    health = httpx.get(f"{replica.url}/api/health", trust_env=False)
    return health if health.json()["status"] == "draining" else None
