"""What kind of training a run is, and by which tags: settled before anything is judged.

The shape of a loss says something in supervised training alone. A run of another kind that is taken for supervised
gets false alarms, and its own faults are not looked for. One tag that only one kind of training logs is enough; of
tags that other trainings log as well two of different sorts must come together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from analyzer.model.reward_signals import DISCRIMINATOR, EPISODE, GENERATOR, LOSSES, Branch
from analyzer.model.roles import Role, words_of

SETS = ("train", "training", "eval", "valid", "validation", "test")


@dataclass(frozen=True, slots=True)
class Family:
    """The kind of training: `name` as in findings.json, `branch` of reinforcement learning, the `tags` that show it."""

    name: str
    branch: Branch
    tags: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The kind and its evidence in words."""
        kind = NAMES.get((self.name, self.branch), self.name)
        if not self.tags:
            return f"Kind of training: {kind}."
        return f"Kind of training: {kind}, because of {' and '.join(self.tags)}."


NAMES = {
    ("rl", "classic"): "reinforcement learning",
    ("rl", "language"): "reinforcement learning of a language model",
    ("gan", "gan"): "adversarial training (GAN)",
    ("preference", ""): "preference training",
    ("boosting", ""): "boosting",
    ("supervised", ""): "supervised",
    ("unknown", ""): "unknown: no loss, reward or metric is recognised",
}


@dataclass(frozen=True, slots=True)
class _Sort:
    """One sort of evidence: the phrases of which a tag must hold one, and the words it must not hold."""

    name: str
    phrases: tuple[str, ...]
    without: frozenset[str] = frozenset()
    last: bool = False  # the phrase must be all of the tag's last part
    loss: bool = False  # and the tag must be a loss
    reward: bool = False  # and the tag must be a reward

    def holds(self, tag: str, words: tuple[str, ...], role: Role) -> bool:
        """Whether a tag is evidence of this sort."""
        own = set(words)
        if own & self.without or (self.loss and not own & LOSSES) or (self.reward and role.kind != "reward"):
            return False
        if self.last:
            return " ".join(words_of(tag.rpartition("/")[2])) in self.phrases
        spoken = f" {' '.join(words)} "  # as has_phrase() does, once for all phrases
        return any(phrase in spoken for phrase in _within_blanks(self.phrases))


@cache
def _within_blanks(phrases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f" {phrase} " for phrase in phrases)


PREFERENCE_ONE = (
    _Sort("preference", ("rewards margins", "chosen reward", "reject reward", "rejected reward", "preference loss",
                         "rewards chosen", "rewards rejected")),
)  # fmt: skip
PREFERENCE_TWO = (
    _Sort("accuracies", ("rewards accuracies",)),
    _Sort("logps", ("logps",)),
    _Sort("logits", ("logits chosen", "logits rejected")),
    _Sort("margin", ("margin", "margins")),
    _Sort("mean-reward", ("mean reward", "max reward", "min reward"), without=frozenset({"eval", "rollout", "ep"})),
)
CLASSIC_ONE = (
    _Sort("episode-reward", (*EPISODE, "eval mean reward"), without=LOSSES),
    _Sort("monitored-reward", ("r",), last=True, reward=True),
    _Sort("step-kl", ("approx kl", "approximate kullback leibler")),
    _Sort("clip-share", ("clip fraction", "clipfrac", "fraction clipped", "clip factor")),
    _Sort("policy-gradient", ("policy gradient loss", "vf explained var", "td loss", "td error")),
)
CLASSIC_TWO = (
    _Sort(
        "reward", ("reward", "rewards", "return", "returns", "rew", "ep ret", "success rate"), without=LOSSES | {"zero"}
    ),
    _Sort("policy-loss", ("policy", "actor", "pi"), loss=True),
    _Sort("value-loss", ("value", "vf", "critic", "q", "v", "qf", "qf1", "qf2"), loss=True),
    _Sort("entropy", ("entropy",), without=frozenset({"cross", "ce", "crossentropy"})),
    _Sort("exploration", ("exploration", "epsilon")),
    _Sort("episode-length", ("ep len", "episode len", "episode length", "episodic length", "ep length", "len len")),
    _Sort("explained-variance", ("explained variance", "explained var")),
    _Sort("rollout", ("rollout", "env runners", "env steps", "environment")),
)
LANGUAGE_ONE = (
    _Sort("groups", ("frac reward zero std",)),
    _Sort("objective", ("objective kl", "objective scores", "objective rlhf reward")),
    _Sort("verl", ("critic score mean", "critic rewards mean", "actor ppo kl", "actor pg loss", "actor pg clipfrac")),
    _Sort("old-trl", ("ppo mean scores", "env reward mean", "ppo policy approxkl")),
)
LANGUAGE_TWO = (
    _Sort("reward", ("reward", "reward mean"), last=True),
    _Sort("kl", ("kl", "mean kl", "kl mean"), last=True),
    _Sort("reward-spread", ("reward std", "rewards std"), without=frozenset({"eval"})),
    _Sort("completions", ("completions", "completion length", "response length", "responses len")),
    _Sort("clip-ratio", ("clip ratio", "ppo clip ratio")),
    _Sort("advantage", ("advantage", "advantages")),
    _Sort("policy-loss", ("policy loss",)),
    _Sort("critic-loss", ("critic loss",)),
    _Sort("return", ("return",), last=True),
)
# a reward or an entropy is logged by both branches; these belong to environments alone, and outweigh the others
OF_TEXTS = frozenset(
    {"kl", "reward-spread", "completions", "clip-ratio", "advantage"}
)  # agents of one's own log the rest
ENVIRONMENT = ("episode-reward", "episode-length", "exploration", "rollout")
GAN_TWO = (
    _Sort("real-output", ("d x", "d real")),
    _Sort("fake-output", ("d g z", "d g z1", "d g z2", "d fake")),
    _Sort("fid", ("fid",)),
    _Sort("penalty", ("gradient penalty", "gp")),
)


@dataclass(frozen=True)
class _Evidence:
    """The tags of a run by what they are evidence of."""

    roles: Mapping[str, Role]

    @cached_property
    def words(self) -> Mapping[str, tuple[str, ...]]:
        """Words of each tag whose role is not one that the user took out of the training."""
        out = ("constant", "unknown", "system", "counter")
        return {t: words_of(t) for t, r in self.roles.items() if not (r.given and r.role in out)}

    def found(self, sorts: Iterable[_Sort]) -> dict[str, str]:
        """Return the first tag of each sort of evidence that the run has."""
        hits = (
            (sort.name, next((t for t, w in self.words.items() if sort.holds(t, w, self.roles[t])), None))
            for sort in sorts
        )
        return {name: tag for name, tag in hits if tag is not None}

    @cached_property
    def losses(self) -> dict[str, frozenset[str]]:
        """Words of each loss, those that GAN code calls an error among them, without numbers at their ends."""
        kinds = LOSSES | {"err"}
        bare = {t: frozenset(w.rstrip("0123456789") or w for w in words) for t, words in self.words.items()}
        return {t: words for t, words in bare.items() if words & kinds or self.roles[t].role == "loss"}

    @property
    def total_loss(self) -> bool:
        """Whether a loss is logged that is no component."""
        return any(r.role == "loss" and not r.part for r in self.roles.values())

    @property
    def validation_loss(self) -> bool:
        """Whether a validation or test loss is logged."""
        return any(r.role == "loss" and r.split in ("validation", "test") for r in self.roles.values())


def family_of(roles: Mapping[str, Role]) -> Family:
    """Return the family of a run by the tags that show it."""
    return _family_of(tuple(roles.items()))


@lru_cache(maxsize=1 << 12)  # the runs of a night have the same tags by the hundred
def _family_of(roles: tuple[tuple[str, Role], ...]) -> Family:
    evidence = _Evidence(dict(roles))
    rules: tuple[Callable[[_Evidence], Family | None], ...] = (
        _preference,
        _gan,
        _reinforcement,
        _boosting,
        _supervised,
    )
    return next((found for rule in rules if (found := rule(evidence)) is not None), Family("unknown", "", ()))


def _preference(evidence: _Evidence) -> Family | None:
    one, two = evidence.found(PREFERENCE_ONE), evidence.found(PREFERENCE_TWO)
    if one or len(two) > 1:
        return Family("preference", "", _first(one, two))
    return None


def _gan(evidence: _Evidence) -> Family | None:
    generator = [t for t, words in evidence.losses.items() if words & GENERATOR and not words & DISCRIMINATOR]
    critic = {"critic"} if generator else set()
    judge = [t for t, words in evidence.losses.items() if words & (DISCRIMINATOR | critic) and not words & GENERATOR]
    others = evidence.found(GAN_TWO)
    imitates = evidence.found((*CLASSIC_ONE, *(s for s in CLASSIC_TWO if s.name in ("reward", "policy-loss"))))
    if imitates:
        return None
    if generator and judge:
        return Family("gan", "gan", (generator[0], judge[0]))
    sides_alike = _pair(evidence)
    if sides_alike:
        return Family("gan", "gan", sides_alike)
    sides = [*generator[:1], *judge[:1], *others.values()]
    return (
        Family("gan", "gan", tuple(sides[:2])) if len(sides) > 1 and (generator or judge or len(others) > 2) else None
    )


def _pair(evidence: _Evidence) -> tuple[str, ...]:
    """Return two tags that differ in the side they name only, as `G` and `D`, or `G_A` and `D_A` of a CycleGAN.

    Beside the loss of a whole model such letters name anything.
    """
    if evidence.total_loss:
        return ()
    bare = {t: words[words[:1] == ("net",) :] for t, words in evidence.words.items()}  # netG, netD
    makers = {words[1:]: t for t, words in bare.items() if words and words[0] in GENERATOR}
    judges = {words[1:]: t for t, words in bare.items() if words and words[0] in DISCRIMINATOR}
    both = [(makers[rest], judges[rest]) for rest in makers if rest in judges]
    return both[0] if both else ()


def _reinforcement(evidence: _Evidence) -> Family | None:
    language, classic = evidence.found(LANGUAGE_ONE), evidence.found(CLASSIC_ONE)
    if language:
        return Family("rl", "language", _first(language, {}))
    speaks, acts = evidence.found(LANGUAGE_TWO), evidence.found(CLASSIC_TWO)
    environment = [name for name in ENVIRONMENT if name in {**classic, **acts}]
    if len(speaks) > 1 and OF_TEXTS & set(speaks) and not environment:
        return Family("rl", "language", _first({}, speaks))
    if classic or len(acts) > 1:
        return Family("rl", "classic", _first(classic, acts))
    # a fine-tuned captioner logs its reward beside a validation loss: that one is supervised
    if "reward" not in acts or evidence.validation_loss:
        return None
    if "reward" in speaks and evidence.total_loss:
        return Family("rl", "language", (speaks["reward"],))
    return None if evidence.total_loss else Family("rl", "classic", (acts["reward"],))


def _boosting(evidence: _Evidence) -> Family | None:
    losses = [t for t, r in evidence.roles.items() if r.role == "loss"]
    if losses and all(words_of(t)[0] in SETS and "-" in t for t in losses):
        return Family("boosting", "", tuple(losses[:1]))
    return None


def _supervised(evidence: _Evidence) -> Family | None:
    losses = [t for t, r in evidence.roles.items() if r.role == "loss"]
    return Family("supervised", "", tuple(losses[:1])) if losses else None


def _first(one: Mapping[str, str], two: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tag that is enough, or the first two that together are."""
    return tuple(one.values())[:1] or tuple(dict.fromkeys(two.values()))[:2]
