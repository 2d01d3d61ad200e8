import torch
x.to('cuda:1')