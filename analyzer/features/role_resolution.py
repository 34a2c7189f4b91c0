"""Who plays which role in this run: the tags' own words, then what only the other tags can tell, then the user."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from analyzer.features.training_family import Family, family_of
from analyzer.model.reward_signals import Branch, goal_of, signal_of
from analyzer.model.roles import Role, read_role, without_axis, words_of
from analyzer.model.run import Series
from analyzer.model.vocabulary import SPLIT_WORDS, STANDS_FOR_LOSS, Split
from analyzer.settings import RoleSetting


@dataclass(frozen=True)
class RoleResolution:
    """The roles of a run's tags, and the kind of training that they show."""

    roles: dict[str, Role]
    family: Family


def cast(
    series: Mapping[str, Series], given: Mapping[str, RoleSetting], mixed: Collection[str] = (), name: str = ""
) -> RoleResolution:
    """Return the role of every tag, and the family of the run.

    Rules that need the whole run: of one value over two axes one is judged; xgboost's `validation_0` is the training
    set when there is a `validation_1`; a run without any loss is judged by its error metric; a loss without a split is
    the training loss; the mean that Transformers logs once at the end (`train/train_loss`) is a summary and no curve; a
    series of one value that no rule knows is a constant; under a tag in `mixed` lie several curves, which are not
    judged; in a run whose `name` ends in the word of a validation set (`resnet_val`) a loss without a split is a
    validation loss; what a tag means in reinforcement learning and in a GAN is read again once the family is known. A
    role that the user set counts as evidence of the family, and nothing changes it.
    """
    own = {tag: read_role(tag) for tag in series}
    for tag in mixed:
        own[tag] = Role("unknown", why="two or more curves lie interleaved under this name")
    _axes(own)
    _boosting(own)
    known = {tag: _given(role, given[tag]) if tag in given else role for tag, role in own.items()}
    _without_loss(known)
    family = family_of(known)
    roles = _recast(own, family.branch) if family.branch else own
    if family.name == "preference":
        _implicit(roles)
    if not family.branch:
        _without_loss(roles)
    split = _split_of(name)
    longer = any(r.role == "loss" and series[t].points > 3 for t, r in roles.items())
    for tag, role in roles.items():
        roles[tag] = _settled(role, series[tag], split=split, longer=longer)
    for tag, setting in given.items():
        if tag in roles:
            roles[tag] = _given(roles[tag], setting)
    return RoleResolution(roles, family)


IMPLICIT = {"chosen", "rejected", "reject", "margins", "margin", "logps", "logits"}


def _implicit(roles: dict[str, Role]) -> None:
    """Take the implicit rewards of preference training for what they are: no goals.

    Rewards of chosen answers may fall below 0 while the margin grows, and a margin grows without end.
    """
    for tag, role in roles.items():
        hit = IMPLICIT & set(words_of(tag))
        if hit and role.role == "metric" and role.kind == "reward":
            why = f"“{min(hit)}”: an implicit reward, no goal by itself"
            roles[tag] = replace(role, role="unknown", direction=None, kind="", why=why)


def _recast(roles: Mapping[str, Role], branch: Branch) -> dict[str, Role]:
    """Return the roles as they are read in reinforcement learning or in a GAN."""
    found = {tag: _reinforced(tag, role, branch) for tag, role in roles.items()}
    if branch == "classic" and not any(r.signal in ("value-loss", "policy-loss") for r in found.values()):
        losses = {tag: role for tag, role in found.items() if role.role == "loss" and not role.signal}
        for tag, role in losses.items():  # the only loss of Q-learning is the error of its values
            if not role.part or len(losses) == 1:
                found[tag] = replace(role, signal="value-loss", why=f"{role.why}; the error of the values")
    return found


def _reinforced(tag: str, role: Role, branch: Branch) -> Role:
    signal = signal_of(tag, branch)
    goal = "" if branch == "gan" else goal_of(tag, branch, held_out=role.split in ("validation", "test"))
    if goal and signal in ("", "difficulty"):
        why = _known(role, f"a reward ({goal})")
        return replace(
            role, role="metric", kind="reward", direction="higher", part="", why=why, signal=signal, goal=goal
        )
    if not signal:
        # what the word makes a reward and no rule takes for a goal is a spread, an extreme or a target
        return replace(role, role="unknown", direction=None, kind="") if role.kind == "reward" else role
    why = _known(role, signal.replace("-", " "))
    if signal in ("generator-loss", "discriminator-loss"):
        return replace(
            role, role="loss", direction="lower", kind="", part=signal.partition("-")[0], why=why, signal=signal
        )
    losses = ("value-loss", "policy-loss")
    if role.role == "metric" and signal in losses:  # an error of temporal differences
        return replace(role, role="loss", direction="lower", kind="", part="value", why=why, signal=signal)
    named = role.role == "loss" and "loss" not in words_of(tag)[-2:] and signal not in losses
    if named or (role.role == "metric" and signal != "explained-variance"):
        return replace(role, role="unknown", direction=None, kind="", part="", why=why, signal=signal)
    return replace(role, why=why, signal=signal)


def _known(role: Role, what: str) -> str:
    """Return why a tag is what it is; that no word of it was known before says nothing."""
    return what if role.role == "unknown" else f"{role.why}; {what}"


def _split_of(name: str) -> Split:
    """Return the split that all of a run belongs to: validation when its name says so behind another word."""
    words = words_of(name)
    return "validation" if len(words) > 1 and SPLIT_WORDS.get(words[-1]) == "validation" else "train"


def _settled(role: Role, one: Series, *, split: Split, longer: bool) -> Role:
    if role.role == "loss" and role.split is None:
        why = "no split named: taken as training" if split == "train" else "the run is named after a validation set"
        role = replace(role, split=split, why=f"{role.why}; {why}")
    if longer and role.role == "loss" and role.split == "train" and one.points == 1:
        return replace(role, role="constant", direction=None, why=f"{role.why}, but logged once: a summary")
    if role.role == "unknown" and one.points > 1 and bool(np.all(one.values == one.values[0])):
        return replace(role, role="constant", why="never changes")
    return role


def _axes(roles: dict[str, Role]) -> None:
    """Set aside what is logged a second time over another axis (`lm loss vs samples` beside `lm loss`)."""
    plain = {words_of(tag) for tag in roles}
    for tag, role in roles.items():
        words = words_of(tag)
        base = without_axis(words)
        if base != words and base in plain:
            roles[tag] = replace(
                role, role="counter", direction=None, why="the same as another series, over another axis"
            )


def _boosting(roles: dict[str, Role]) -> None:
    numbered = {tag: words_of(tag)[:2] for tag in roles}
    if not any(w == ("validation", "1") for w in numbered.values()):
        return
    for tag, words in numbered.items():
        if words == ("validation", "0"):
            why = f"{roles[tag].why}; there is a validation_1 too, so this is the training set"
            roles[tag] = replace(roles[tag], split="train", why=why)


def _without_loss(roles: dict[str, Role]) -> None:
    if any(r.role == "loss" for r in roles.values()):
        return
    for tag, role in roles.items():
        words = [w.rstrip("0123456789") if w not in STANDS_FOR_LOSS else w for w in words_of(tag)]
        hit = next((w for w in words if w in STANDS_FOR_LOSS), None)
        if role.role == "metric" and role.direction == "lower" and hit:
            part = "" if hit in ("mse", "rmse", "error", "l2") else hit
            roles[tag] = replace(role, role="loss", part=part, why=f"“{hit}” stands in: the run has no loss")


def _given(role: Role, setting: RoleSetting) -> Role:
    direction = setting.direction or ("lower" if setting.role == "loss" else role.direction)
    kind = role.kind if setting.role == "metric" else ""
    return Role(
        setting.role,  # type: ignore[arg-type]  # settings are checked where they are read
        setting.split or (role.split if setting.role == role.role else None),  # type: ignore[arg-type]
        direction,  # type: ignore[arg-type]
        "set by the user",
        kind,
        part=role.part if setting.role == role.role else "",
        per=role.per,
        given=True,
    )
