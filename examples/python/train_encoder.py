"""Pre-trains an encoder on a distilled set with PyTorch.

    hypergrad export runs/mnist-small --to npz --out exports/mnist-small
    python examples/python/train_encoder.py exports/mnist-small/synthetic.npz encoder.pt
"""
import sys

import numpy as np
import torch
from torch import nn


def conv_net(channels, size, outputs, width=16, depth=2):
    """The student of MKDT: `depth` blocks of convolution, instance norm, ReLU and average pooling, and a linear head."""
    blocks = []
    for block in range(depth):
        # Images of 28 pixels are padded to 32, so that every block halves the side.
        padding = 3 if block == 0 and size == 28 else 1
        inputs = channels if block == 0 else width
        blocks += [nn.Conv2d(inputs, width, 3, padding=padding), nn.GroupNorm(width, width), nn.ReLU(), nn.AvgPool2d(2)]
        size = (size + 2 * padding - 2) // 2
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(width * size * size, outputs))


def main(source, destination, epochs=60, batch=40):
    data = np.load(source)
    pixels = (data["images"] - data["mean"][:, None, None]) / data["deviation"][:, None, None]
    images, targets = torch.from_numpy(pixels), torch.from_numpy(data["targets"])

    torch.manual_seed(0)
    encoder = conv_net(images.shape[1], images.shape[2], targets.shape[1])
    optimiser = torch.optim.SGD(encoder.parameters(), lr=float(data["innerStep"][0]), momentum=0.9, weight_decay=1e-4)
    for epoch in range(epochs):
        for rows in torch.randperm(len(images)).split(batch):
            loss = nn.functional.mse_loss(encoder(images[rows]), targets[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if epoch in (0, epochs - 1):
            print(f"epoch {epoch + 1}: loss {loss.item():.4f}")
    torch.save(encoder.state_dict(), destination)
    print(f"the encoder is in {destination}; take the features before its last layer")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Give the exported .npz file and a name for the encoder's file.")
    main(sys.argv[1], sys.argv[2])
