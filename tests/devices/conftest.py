"""One thread per test: the machine's cores belong to the tests that run side by side."""

import torch

torch.set_num_threads(1)
