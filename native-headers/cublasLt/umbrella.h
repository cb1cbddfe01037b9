// cuBLASLt: matrix products with chosen algorithms.
#include <cublasLt.h>
