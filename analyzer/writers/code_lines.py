"""The line of code that carries out an advice, in the framework that wrote the log."""

from __future__ import annotations

import re
from collections.abc import Mapping

from analyzer.model.result import Result

FRAMEWORKS: Mapping[str, str] = {
    "lightning-csv": "lightning",
    "trainer-state": "transformers",
    "keras-csv": "keras",
    "sb3": "stable-baselines3",
}
"""The framework by the kind of log; others are taken for plain PyTorch."""

KERAS_TAG = re.compile(r"(^|/)epoch_(loss|learning_rate)$")
"""What Keras's TensorBoard callback calls its series."""

CLIP = "1.0"
"""The gradient norm to clip at where the advice names none: what most recipes begin with."""

_NAMED = re.compile(r"norm (?:at|of about) ([0-9]+(?:[.][0-9]+)?)")

LINES: tuple[tuple[re.Pattern[str], Mapping[str, str]], ...] = (
    (
        re.compile("clip (the )?gradients?", re.IGNORECASE),
        {
            "pytorch": "torch.nn.utils.clip_grad_norm_(model.parameters(), {clip})  # after backward(), before step()",
            "lightning": "Trainer(gradient_clip_val={clip})",
            "transformers": "TrainingArguments(max_grad_norm={clip})",
            "keras": "keras.optimizers.Adam(global_clipnorm={clip})",
            "stable-baselines3": 'PPO("MlpPolicy", env, max_grad_norm={clip})',
        },
    ),
    (
        re.compile("bfloat16", re.IGNORECASE),
        {
            "pytorch": 'with torch.autocast("cuda", dtype=torch.bfloat16):',
            "lightning": 'Trainer(precision="bf16-mixed")',
            "transformers": "TrainingArguments(bf16=True)",
            "keras": 'keras.config.set_dtype_policy("mixed_bfloat16")',
        },
    ),
    (
        re.compile("early stopping|stop when|stop at", re.IGNORECASE),
        {
            "lightning": 'EarlyStopping(monitor="val_loss", patience=5)',
            "transformers": "EarlyStoppingCallback(early_stopping_patience=5)",
            "keras": "keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)",
        },
    ),
    (
        re.compile("weight decay", re.IGNORECASE),
        {
            "pytorch": "torch.optim.AdamW(model.parameters(), weight_decay=0.01)",
            "transformers": "TrainingArguments(weight_decay=0.01)",
            "keras": "keras.optimizers.AdamW(weight_decay=0.01)",
        },
    ),
    (
        re.compile("warm-?up|warm up", re.IGNORECASE),
        {
            "pytorch": "torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=500)",
            "transformers": "TrainingArguments(warmup_ratio=0.05)",
        },
    ),
    (
        re.compile("entropy coefficient", re.IGNORECASE),
        {"stable-baselines3": 'PPO("MlpPolicy", env, ent_coef=0.01)'},
    ),
)


def framework_of(result: Result) -> str:
    """Return the framework that wrote a log, "pytorch" where nothing says another one."""
    if any(KERAS_TAG.search(row.tag) for row in result.series):
        return "keras"
    return FRAMEWORKS.get(result.source, "pytorch")


def code_line(advice: str, framework: str) -> str:
    """Return the line of code for an advice, "" where there is none."""
    for pattern, lines in LINES:
        if pattern.search(advice) and framework in lines:
            named = _NAMED.search(advice)
            return lines[framework].format(clip=named[1] if named else CLIP)
    return ""
