"""Version of the model: raised whenever an unchanged scenario may answer differently."""

MODEL_VERSION = "0.1.0"
