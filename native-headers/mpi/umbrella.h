// Open MPI 4's: its binary interface is that of version 5. Only C, no Fortran types.
#include <mpi.h>
