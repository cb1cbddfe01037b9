// NVML: clocks, power, temperature and utilisation of a GPU.
#include <nvml.h>
