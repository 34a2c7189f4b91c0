"""The words that loggers use: for splits, losses, metrics, counters, the machine, and constants."""

from __future__ import annotations

import re
from typing import Literal

Split = Literal["train", "validation", "test"]
Direction = Literal["lower", "higher"]

SPLITS_BY_WORDS: dict[Split, str] = {
    "train": "train training trn tr trainer entrenamiento entrainement entraînement treino addestramento обучение 训练 "
    "訓練 学習",
    "validation": "val valid validation validate eval evaluation evaluate dev holdout heldout cv validierung "
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

LOSS = {"loss", "losses", "nll", "xent", "bce", "elbo", "objective", "cost", "logloss", "mlogloss", "crossentropy"}
LOSS |= {"ce", "deviance", "nelbo", "energy"}
LOSS |= {"verlust", "perte", "perdida", "pérdida", "perda", "perdita", "потери", "损失", "損失"}

# kind: its words, and the direction of good
METRICS: dict[str, tuple[str, Direction]] = {
    "accuracy": ("accuracy acc accuracies top1 top5 acc1 acc5", "higher"),
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
RL_PARTS = {"policy", "value", "actor", "critic", "entropy", "kl", "q", "qf", "qf1", "qf2", "alpha", "ent", "baseline"}
GAN_PARTS = {"generator", "discriminator", "gen", "disc", "g", "d", "netg", "netd", "adversarial", "adv", "gan", "gp"}
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
}
