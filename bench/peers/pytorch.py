"""PyTorch on the CPU as a peer: commands come as lines of JSON on stdin, answers go as lines of JSON to stdout.

Tensors travel as {"shape": [...], "type": "float32" | "int32", "data": base64 of the little-endian numbers}.
"""

import base64
import ctypes
import json
import sys

import torch
import torch.nn.functional as F


def tensor(value):
    kind = torch.int32 if value["type"] == "int32" else torch.float32
    data = torch.frombuffer(bytearray(base64.b64decode(value["data"])), dtype=kind)
    return data.reshape(value["shape"]).clone()


def encoded(value):
    flat = value.detach().to(torch.float32).contiguous().flatten()
    # Not by way of numpy, which PyTorch does without.
    return base64.b64encode(ctypes.string_at(flat.data_ptr(), 4 * flat.numel())).decode()


def student_loss(parameters, images, targets, depth):
    x = images
    for block in range(depth):
        weight, bias, scale, shift = parameters[4 * block : 4 * block + 4]
        x = F.conv2d(x, weight, bias, padding=1)
        x = F.relu(F.group_norm(x, x.shape[1], scale, shift, eps=1e-5))
        x = F.avg_pool2d(x, 2)
    weight, bias = parameters[4 * depth :]
    return F.mse_loss(F.linear(x.flatten(1), weight, bias), targets)


def step_of(case):
    parameters = [tensor(each) for each in case["parameters"]]
    images, targets, rate = tensor(case["images"]), tensor(case["targets"]), case["learningRate"]

    def once(last):
        theta = [each.detach().requires_grad_() for each in (parameters if last is None else last[1])]
        loss = student_loss(theta, images, targets, case["depth"])
        gradients = torch.autograd.grad(loss, theta)
        with torch.no_grad():
            return loss, [each - rate * gradient for each, gradient in zip(theta, gradients)]

    def results(value):
        update = torch.cat([(after - start).flatten() for after, start in zip(value[1], parameters)])
        return {"loss": value[0], "update": update}

    return once, results


def hypergradient_of(case):
    start = [tensor(each).requires_grad_() for each in case["parameters"]]
    arrival = [tensor(each) for each in case["arrival"]]
    images, targets = tensor(case["images"]).requires_grad_(), tensor(case["targets"]).requires_grad_()
    rate = torch.tensor(case["learningRate"], requires_grad=True)

    def squared_distance(a, b):
        return sum(((x - y) ** 2).sum() for x, y in zip(a, b))

    def once(last):
        theta = start
        for _ in range(case["steps"]):
            loss = student_loss(theta, images, targets, case["depth"])
            gradients = torch.autograd.grad(loss, theta, create_graph=True)
            theta = [each - rate * gradient for each, gradient in zip(theta, gradients)]
        outer = squared_distance(theta, arrival) / squared_distance([each.detach() for each in start], arrival)
        return (outer, *torch.autograd.grad(outer, [images, targets, rate]))

    return once, lambda value: dict(zip(["loss", "images", "targets", "learningRate"], value))


def kernel_of(case):
    operands = [tensor(each) for each in case["operands"]]
    output = case["output"]
    functions = {
        "matmul": lambda a, b: a @ b,
        "conv2d": lambda x, w: F.conv2d(x, w, padding=1),
        "conv2dInputGrad": lambda y, w: torch.nn.grad.conv2d_input(output, w, y, padding=1),
        "conv2dWeightGrad": lambda x, y: torch.nn.grad.conv2d_weight(x, output, y, padding=1),
        "instanceNorm": lambda x, scale, shift: F.group_norm(x, x.shape[1], scale, shift, eps=1e-5),
        "gather": lambda table, rows: torch.index_select(table, 0, rows),
        "elementwiseChain": lambda a, b: F.relu(a * b + a) * b - a,
    }
    compute = functions[case["operation"]]

    def once(last):
        with torch.no_grad():
            return compute(*operands)

    return once, lambda value: {"y": value}


BUILDERS = {"kernel": kernel_of, "step": step_of, "hypergradient": hypergradient_of}


def main():
    built = {}
    last = {}

    def answer(command):
        name = command["do"]
        key = command.get("id")
        if name == "version":
            return {"version": torch.__version__, "threads": torch.get_num_threads()}
        if name == "build":
            built[key] = BUILDERS[command["kind"]](command["case"])
            return {}
        if name == "release":
            built.pop(key)
            last.pop(key, None)
            return {}
        once, results = built[key]
        if name == "results":
            return {each: encoded(value) for each, value in results(once(None)).items()}
        for _ in range(command["repeats"]):
            last[key] = once(last.get(key))
        return {}

    for line in sys.stdin:
        try:
            reply = {"result": answer(json.loads(line))}
        except Exception as error:  # whatever it is, the other side reports it
            reply = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


main()
