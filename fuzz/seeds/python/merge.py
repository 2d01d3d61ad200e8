import torch
<<<<<<< HEAD
x.to('cuda:0')
=======
x.to('cuda:1')
>>>>>>> other
