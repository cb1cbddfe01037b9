// CUPTI: activity records and callbacks.
#include <cupti.h>
