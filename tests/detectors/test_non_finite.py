"""Why a loss is no number any more."""

import numpy as np
from judged import found

from analyzer.model.case import falling


def test_a_loss_that_is_lost_in_its_first_steps_has_no_checkpoint_to_go_back_to():
    loss = falling(400)
    loss[1:] = np.nan
    finding = found("non-finite", {"train/loss": loss})
    assert finding is not None
    assert finding.cause.startswith("the first updates")
    assert not any("checkpoint" in text for text in finding.advice)


def test_the_same_after_three_epochs_is_not_at_the_start():
    loss = falling(60)
    loss[3:] = np.nan
    finding = found("non-finite", {"epoch_loss": loss})
    assert finding is not None
    assert any("checkpoint" in text for text in finding.advice)
