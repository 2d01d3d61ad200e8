import torch
print 'cuda:1'
exec 'x'
x.cuda(1)
