"""The real Keras, Lightning and transformers call the callbacks as the fakes do; needs them: see docs/callbacks.md."""

import os

import numpy as np
import pytest

import analyzer.callbacks

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]


def quiet(text):
    pass


def check_whenever(monitor):
    monitor._pace.is_due = lambda points: points > 0


def keras_model():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 4)).astype("float32")
    return model, x, x.sum(1, keepdims=True)


def test_keras_calls_it():
    model, x, y = keras_model()
    callback = analyzer.callbacks.KerasCallback(tell=quiet, batches=2)
    model.fit(x, y, epochs=12, validation_split=0.25, batch_size=8, verbose=0, callbacks=[callback])
    points = {row.tag: row.points for row in callback.monitor.result.series}
    assert points["loss"] == points["val_loss"] == 12 and points["batch_loss"] == 12 * 6 // 2


def test_keras_stops():
    model, x, y = keras_model()
    callback = analyzer.callbacks.KerasCallback(tell=quiet, stop_on=["non-finite"])
    check_whenever(callback.monitor)
    y[:] = np.nan
    history = model.fit(x, y, epochs=200, verbose=0, callbacks=[callback])
    assert len(history.epoch) < 200 and callback.monitor.stop_reason.startswith("non-finite")


def lightning_fit(tmp_path, callback, steps, bad_from=10**9):
    torch, lightning = pytest.importorskip("torch"), pytest.importorskip("lightning.pytorch")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def training_step(self, batch, index):
            (x,) = batch
            loss = (self.layer(x).squeeze() - x.sum(1)).square().mean()
            loss = loss * (float("nan") if self.global_step >= bad_from else 1.0)
            self.log("train_loss", loss)
            self.log("train_mean", loss, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch, index):
            (x,) = batch
            self.log("val_loss", (self.layer(x).squeeze() - x.sum(1)).square().mean())

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.01)

    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(160, 4)), batch_size=8)
    trainer = lightning.Trainer(
        max_steps=steps, max_epochs=-1, accelerator="cpu", log_every_n_steps=5, callbacks=[callback], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(Module(), data, data)
    return trainer.global_step


def test_lightning_calls_it(tmp_path):
    callback = analyzer.callbacks.LightningCallback(tell=quiet)
    assert lightning_fit(tmp_path, callback, 200) == 200
    points = {row.tag: row.points for row in callback.monitor.result.series}
    assert points == {"train_loss": 40, "train_mean": 10, "val_loss": 10}


def test_lightning_stops(tmp_path):
    callback = analyzer.callbacks.LightningCallback(tell=quiet, stop_on=["non-finite"])
    check_whenever(callback.monitor)
    assert 100 < lightning_fit(tmp_path, callback, 2_000, bad_from=100) < 1_000


def hugging_face_train(tmp_path, callback, steps, bad_from=10**9):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.calls = torch.nn.Linear(4, 1), 0

        def forward(self, x, labels):
            self.calls += self.training
            loss = (self.layer(x).squeeze() - labels).square().mean()
            return {"loss": loss * (float("nan") if self.calls > bad_from else 1.0), "logits": self.layer(x)}

    rows = [{"x": x, "labels": x.sum()} for x in torch.randn(80, 4)]
    arguments = transformers.TrainingArguments(
        str(tmp_path), max_steps=steps, logging_steps=5, eval_steps=20, eval_strategy="steps", report_to=[],
        save_strategy="no", use_cpu=True, disable_tqdm=True, learning_rate=0.01, logging_nan_inf_filter=False,
    )  # fmt: skip
    trainer = transformers.Trainer(Model(), arguments, train_dataset=rows, eval_dataset=rows, callbacks=[callback])
    trainer.train()
    return trainer.state.global_step


def test_the_trainer_calls_it(tmp_path):
    callback = analyzer.callbacks.TrainerCallback(tell=quiet)
    assert hugging_face_train(tmp_path, callback, 200) == 200
    points = {row.tag: row.points for row in callback.monitor.result.series}
    assert points["loss"] == 40 and points["eval_loss"] == 10 and "train_loss" not in points


def test_the_trainer_stops(tmp_path):
    callback = analyzer.callbacks.TrainerCallback(tell=quiet, stop_on=["non-finite"])
    check_whenever(callback.monitor)
    assert 100 < hugging_face_train(tmp_path, callback, 2_000, bad_from=100) < 1_000
