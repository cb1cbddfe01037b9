// NCCL: collectives between GPUs.
#include <nccl.h>
