"""The words that loggers use: for splits, losses, metrics, counters, the machine, and constants."""

from __future__ import annotations

import re
from typing import Literal

Split = Literal["train", "validation", "test"]
Direction = Literal["lower", "higher"]

SPLITS_BY_WORDS: dict[Split, str] = {
    "train": "train training trn tr trainer learn entrenamiento entrainement entraînement treino addestramento "
    "обучение 训练 訓練 学習",
    "validation": "val valid validation validate eval evaluation evaluator evaluate dev holdout heldout cv validierung "
    "validacion validación validação validacao validazione валидация 验证 驗證 検証",
    "test": "test testing tst prueba teste тест 测试 測試",
}
SPLIT_WORDS = {word: split for split, words in SPLITS_BY_WORDS.items() for word in words.split()}

WHOLE = re.compile(
    r"mAP(?:50)?(?:-95)?|mIoU|IoU|AUROC|AUPRC|ROC_?AUC|PR_?AUC|R2|F1|GPU|CPU|TPU|RAM|FLOPs|BCE|NLL|KL|ELBO|ELO|"
    r"LR|MSE|RMSE|MAE|MAPE|SSIM|PSNR|FID|BLEU|ROUGE|WER|CER|PPL|AP|AR"
)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
CUTS = re.compile(r"[/_.\-()\[\]{}:,;\s|@=#+]+")

MODEL = re.compile(r" \(model .*\)$")  # MLflow's logged model, which a reader puts behind the name of its metrics

LOSS_ITSELF = {"loss", "losses", "objective", "cost", "verlust", "perte", "perdida", "pérdida", "perda", "perdita"}
LOSS_ITSELF |= {"потери", "损失", "損失"}
LOSS = LOSS_ITSELF | {"nll", "xent", "bce", "logloss", "mlogloss", "crossentropy"}
LOSS |= {"ce", "deviance", "nelbo", "energy"}

# kind: its words, and the direction of good
METRICS: dict[str, tuple[str, Direction]] = {
    "accuracy": ("accuracy acc accuracies bas top1 top5 acc1 acc5", "higher"),
    "precision": ("precision prec", "higher"),
    "recall": ("recall sensitivity tpr ar", "higher"),
    "specificity": ("specificity tnr", "higher"),
    "f1": ("f1 fscore fbeta f1score macrof1 microf1", "higher"),
    "pr-auc": ("prauc auprc aucpr", "higher"),
    "auc": ("auc auroc rocauc roc gini", "higher"),
    "ap": ("ap averageprecision map map50 map5095 map95 ap50 ap75 aps apm apl", "higher"),
    "iou": ("iou miou dice jaccard", "higher"),
    "bleu": ("bleu rouge rouge1 rouge2 rougel meteor chrf cider", "higher"),
    "r2": ("r2 r2score rsquared", "higher"),
    "explained-variance": ("explainedvariance", "higher"),
    "correlation": ("pearson spearman pearsonr spearmanr mcc matthews kappa ndcg mrr", "higher"),
    "reward": ("reward rewards return returns rew elo winrate", "higher"),
    "similarity": ("ssim psnr similarity snr sdr", "higher"),
    "perplexity": ("perplexity ppl bpc bpb", "lower"),
    "wer": ("wer cer ter", "lower"),
    "fid": ("fid kid lpips", "lower"),
    "error": ("error err mae mse rmse mape smape rmsle l1 l2 merror regret eer", "lower"),
}
KIND = {word: kind for kind, (words, _) in METRICS.items() for word in words.split()}

# Losses that are logged under the name of an error when there is no better one.
STANDS_FOR_LOSS = frozenset({"mse", "rmse", "mae", "l1", "l2", "rmsle", "error", "merror", "mape", "perplexity", "ppl"})

NUMBERED = {"epoch", "dataloader", "idx", "fold", "rank"}  # with a number, they count variants of one tag

COUNTERS = {"epoch", "epochs", "iteration", "iterations", "iter", "iters", "step", "steps", "timesteps", "flos"}
COUNTERS |= {"flops", "examples", "samples", "updates", "episodes", "count", "counter", "tokens", "duration", "index"}
COUNTERS |= {"imgs", "images", "batches", "progress"}
# what stands before `step` or `epoch` in the name of a counter
COUNTED = {"global", "current", "num", "number", "n", "total", "max", "last", "optimizer", "optim", "update", "env"}
COUNTED |= {"agent", "environment", "time", "micro", "inner", "outer", "best", "step", "epoch", "iter", "log", "of"}
# behind `vs`: what a value is logged over
OVER = COUNTERS | {"time", "hours", "seconds", "sample", "token"}
# words of a layer's name: a value in it counts nothing
LAYERS = {"layer", "layers", "embed", "embedding", "embeddings", "attn", "attention", "mixer", "weight", "weights"}
LAYERS |= {"bias", "biases", "kernel", "proj", "mlp", "block", "blocks", "encoder", "decoder", "wte", "wpe"}
# values that a metric is compared with: they stand still, or only keep the best
REFERENCES = {"baseline", "baselines", "best", "target", "majority", "random", "threshold", "thresholds", "thresh"}
REFERENCES |= {"thr", "chance", "goal", "prior", "reference", "dummy", "sofar"}
REFERENCE_FOLDERS = {"baseline", "baselines", "majority", "chance", "reference", "dummy"}
# with `time`: what a program spends time on; other times belong to the world that is modelled
TIMED = {"time", "data", "iteration", "elapsed", "wall", "forward", "backward", "fwd", "bwd", "compute", "load"}
TIMED |= {"loading", "loader", "dataloader", "fetch", "inference", "remaining", "sample", "sampling", "sec", "secs"}
TIMED |= {
    "seconds",
    "s",
    "ms",
    "fit",
    "learning",
    "rollout",
    "collect",
    "collection",
    "update",
    "optimizer",
    "accumulated",
}
TIMED |= {
    "submission",
    "logging",
    "since",
    "start",
    "batches",
    "iterations",
    "epochs",
    "steps",
    "fps",
    "io",
    "gpu",
    "cpu",
}
TIMED |= {"run", "runtime", "generation", "generate", "predict", "prediction", "checkpoint", "save", "saving", "sync"}
TIMED |= {
    "computation",
    "preprocess",
    "preprocessing",
    "postprocess",
    "decode",
    "hours",
    "minutes",
    "loss",
    "cost",
    "max",
}
TIMED |= {"min", "process", "processing", "execution", "exec", "this", "iter", "avg", "timing", "timings", "perf"}
# words that are the machine's only beside one of MACHINES: a softmax has a temperature, a simulated car a power
OF_MACHINES = {"power", "temperature", "network"}
MACHINES = {"gpu", "cpu", "tpu", "system", "device", "node", "host", "watts", "celsius", "usage", "megabytes", "bytes"}
MACHINES |= {"utilization", "receive", "transmit", "disk", "memory", "ram"}
SYSTEM = {"gpu", "cpu", "tpu", "ram", "memory", "mem", "fps", "runtime", "throughput", "mfu", "hfu", "system", "disk"}
SYSTEM |= {
    "network",
    "power",
    "temperature",
    "utilization",
    "latency",
    "seconds",
    "sec",
    "sps",
    "ips",
    "time",
    "tflops",
}
SYSTEM |= {"elapsed", "eta", "walltime", "profile"}
STRONG_SYSTEM = {"time", "fps", "sec", "seconds", "throughput", "gpu", "cpu", "memory"}
CONSTANTS = {
    "momentum",
    "mom",
    "wd",
    "decay",
    "beta",
    "betas",
    "beta1",
    "beta2",
    "epsilon",
    "eps",
    "dropout",
    "lesson",
}
CONSTANTS |= {
    "temperature",
    "threshold",
    "chance",
    "gamma",
    "scale",
    "coef",
    "coefficient",
    "exploration",
    "probability",
    "range",
    "bs",
    "batchsize",
    "size",
}
PLAIN = {
    "total",
    "mean",
    "avg",
    "average",
    "overall",
    "all",
    "full",
    "sum",
    "running",
    "smoothed",
    "smooth",
    "raw",
    "lm",
}
PLAIN |= {"batch", "epoch", "step", "vs", "iterations", "iter", "log", "softmax", "reduced", "data"}
PLAIN |= {
    "history",
    "metrics",
    "metric",
    "scalar",
    "scalars",
    "group",
    "curve",
    "value0",
    "per",
    "logs",
    "model",
    "main",
    "stats",
    "dict",
    "current",
    "samples",
}
