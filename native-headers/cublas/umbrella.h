// cuBLAS: only what says which library was found.
#include <cublas_v2.h>
