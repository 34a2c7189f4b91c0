"""TensorBoard's event files, verified by every checksum, whatever framework wrote them."""

from analyzer.readers.tensorboard.logdir import TensorBoard

FORMAT = TensorBoard()
