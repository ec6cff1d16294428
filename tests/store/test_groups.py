"""Groups: who is in which, what is audited, what follows the identity provider."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.audit import list_audit
from core.accounts.groups import MAXIMUM_NAME, Groups, check_group_name, group_names
from core.errors import AccountError, NotFound
from tests.support.moving_clock import MovingClock
from tests.support.people import add_person


@pytest.fixture(name="groups")
def _groups(database):
    return Groups(database)


@pytest.fixture(name="ada")
def _ada(database):
    return add_person(database, "ada", role="admin")


@pytest.fixture(name="bob")
def _bob(database):
    return add_person(database, "bob")


def newest(database):
    entry = list_audit(database)[0]
    return entry.actor, entry.action, entry.subject, entry.before, entry.after


def test_a_group_is_made_with_members_and_audited(database, groups, ada, bob):
    group_id = groups.create("  Legal   team ", member_ids=[bob.id], actor_id=ada.id)

    (group,) = groups.current()
    assert (group.id, group.name, group.member_ids) == (group_id, "Legal team", {bob.id})
    assert groups.names_of(bob.id) == ("Legal team",)
    assert groups.names_of(ada.id) == ()
    assert newest(database) == ("ada", "group.create", "Legal team", None, {"members": ["bob"]})


def test_members_come_and_go_with_one_audit_row_of_what_changed(database, groups, ada, bob):
    group_id = groups.create("Legal", member_ids=[bob.id], actor_id=ada.id)

    groups.change_members(group_id, add=[ada.id, bob.id], actor_id=ada.id)
    assert newest(database)[1:] == ("group.members", "Legal", {"members": []}, {"members": ["ada"]})
    groups.change_members(group_id, add=[ada.id], remove=[bob.id], actor_id=ada.id)
    assert newest(database)[1:] == ("group.members", "Legal", {"members": ["bob"]}, {"members": []})

    rows = len(list_audit(database))
    groups.change_members(group_id, add=[ada.id], remove=[bob.id], actor_id=ada.id)
    assert len(list_audit(database)) == rows
    assert groups.current()[0].member_ids == {ada.id}


def test_groups_come_by_name_and_a_persons_too(groups, bob):
    for name in ("zeta", "Alpha", "beta"):
        groups.create(name, member_ids=[bob.id], actor_id=None)

    assert [group.name for group in groups.current()] == ["Alpha", "beta", "zeta"]
    assert groups.names_of(bob.id) == ("Alpha", "beta", "zeta")


@pytest.mark.parametrize("name", ["Legal", "LEGAL", " legal "])
def test_a_name_is_taken_in_any_case(database, groups, name):
    groups.create("Legal", actor_id=None)
    other = groups.create("Design", actor_id=None)

    with pytest.raises(AccountError, match="a group Legal already"):
        groups.create(name, actor_id=None)
    with pytest.raises(AccountError, match="a group Legal already"):
        groups.rename(other, name, actor_id=None)
    assert [group.name for group in groups.current()] == ["Design", "Legal"]
    assert sum(entry.action == "group.create" for entry in list_audit(database)) == 2


@pytest.mark.parametrize("name", ["", "   ", "x" * (MAXIMUM_NAME + 1), "a\x00b"])
def test_a_name_that_cannot_be_read_is_refused(groups, name):
    with pytest.raises(AccountError) as refused:
        groups.create(name, actor_id=None)
    assert refused.value.next_step
    assert groups.current() == ()


@given(st.text(max_size=80))
def test_a_name_that_was_taken_stays_as_it_is(name):
    try:
        checked = check_group_name(name)
    except AccountError:
        return
    assert check_group_name(checked) == checked
    assert 0 < len(checked) <= MAXIMUM_NAME


def test_a_group_is_renamed_also_in_case_only(database, groups, ada, bob):
    group_id = groups.create("Legal", member_ids=[bob.id], actor_id=ada.id)

    groups.rename(group_id, "legal", actor_id=ada.id)
    groups.rename(group_id, "Counsel", actor_id=ada.id)

    assert groups.names_of(bob.id) == ("Counsel",)
    assert newest(database) == ("ada", "group.rename", "Counsel", {"name": "legal"}, {"name": "Counsel"})
    groups.create("Legal", actor_id=None)


def test_what_follows_a_name_is_part_of_the_same_transaction(groups):
    group_id = groups.create("Legal", actor_id=None)
    seen = []

    def fails(_cur, old, new):
        seen.append((old, new))
        raise AccountError("No.")

    with pytest.raises(AccountError, match="No"):
        groups.rename(group_id, "Counsel", actor_id=None, followed_by=fails)

    assert seen == [("Legal", "Counsel")]
    assert [group.name for group in groups.current()] == ["Legal"]


def test_deleting_says_which_models_need_it_and_what_was_in_it(database, groups, ada, bob):
    group_id = groups.create("Legal", member_ids=[ada.id, bob.id], actor_id=ada.id)

    with pytest.raises(AccountError, match="Legal decides who may use One, Two and Three"):
        groups.delete(group_id, used_by=["One", "Two", "Three"], actor_id=ada.id)
    assert groups.names_of(bob.id) == ("Legal",)
    groups.delete(group_id, actor_id=ada.id)

    assert groups.current() == ()
    assert groups.names_of(bob.id) == ()
    assert newest(database) == ("ada", "group.delete", "Legal", {"members": ["ada", "bob"]}, None)
    assert database.fetch_all("select * from group_members") == []


def test_what_is_not_there_cannot_be_changed(groups):
    group_id = groups.create("Legal", actor_id=None)

    with pytest.raises(NotFound, match="no such group"):
        groups.rename("gone", "Other", actor_id=None)
    with pytest.raises(NotFound, match="no such group"):
        groups.change_members("gone", actor_id=None)
    with pytest.raises(NotFound, match="no such group"):
        groups.delete("gone", actor_id=None)
    with pytest.raises(NotFound, match="not here any more"):
        groups.change_members(group_id, add=["nobody"], actor_id=None)


def test_groups_outlive_a_restart_and_the_export_reads_the_same(database, groups, bob):
    groups.create("Legal", member_ids=[bob.id], actor_id=None)
    groups.create("Design", actor_id=None)

    assert Groups(database).current() == groups.current()
    assert group_names(database, bob.id) == ["Legal"]


def test_changes_at_the_same_time_are_all_seen(database, groups):
    group_id = groups.create("Legal", actor_id=None)
    people = [add_person(database, f"person-{number}") for number in range(6)]
    together = threading.Barrier(len(people), timeout=10)

    def join(user_id):
        together.wait()
        groups.change_members(group_id, add=[user_id], actor_id=None)

    threads = [threading.Thread(target=join, args=(user.id,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert groups.current()[0].member_ids == {user.id for user in people}


class TestFollowing:
    """What the identity provider says, signed in at a time."""

    @pytest.fixture(name="clock")
    def _clock(self):
        return MovingClock()

    def test_it_joins_groups_that_exist_in_any_case_and_leaves_them_again(self, database, groups, bob, clock):
        groups.create("Legal", actor_id=None)
        groups.create("Design", actor_id=None)

        groups.follow(bob, ["LEGAL", "Somewhere else"], claimed_at=clock.now)
        assert groups.names_of(bob.id) == ("Legal",)
        assert newest(database) == (None, "group.follow", "bob", {"groups": []}, {"groups": ["Legal"]})
        groups.follow(bob, ["design"], claimed_at=clock.now + timedelta(hours=1))

        assert groups.names_of(bob.id) == ("Design",)
        assert newest(database)[3:] == ({"groups": ["Legal"]}, {"groups": ["Design"]})
        assert [group.name for group in groups.current()] == ["Design", "Legal"]

    def test_what_an_administrator_gave_stays(self, groups, bob, clock):
        groups.create("Legal", member_ids=[bob.id], actor_id=None)

        groups.follow(bob, [], claimed_at=clock.now)

        assert groups.names_of(bob.id) == ("Legal",)

    def test_an_older_word_changes_nothing_also_after_a_restart(self, database, groups, bob, clock):
        groups.create("Legal", actor_id=None)
        groups.follow(bob, ["Legal"], claimed_at=clock.now)

        for each in (groups, Groups(database)):
            each.follow(bob, [], claimed_at=clock.now)
            each.follow(bob, [], claimed_at=clock.now - timedelta(days=1))
            assert each.names_of(bob.id) == ("Legal",)

    def test_no_change_leaves_no_audit(self, database, groups, bob, clock):
        rows = len(list_audit(database))

        groups.follow(bob, ["Nothing here"], claimed_at=clock.now)

        assert len(list_audit(database)) == rows
