// Declarations only: NVTX 3 is header-only in C, libnvtx3interop exports the same functions.
#define NVTX_NO_IMPL
#include <nvtx3/nvToolsExt.h>
