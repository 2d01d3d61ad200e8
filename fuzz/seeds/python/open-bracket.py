import torch
x = f(torch.device('cuda:1'),
y.to('cuda:1')
def g():
    torch.cuda.set_device(1)
