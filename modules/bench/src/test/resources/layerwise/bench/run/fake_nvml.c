// An NVML with one GPU whose clock rises by one at every reading and whose memory clock is not supported.
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6 };
struct field { unsigned id, scope; long long time, latency; int type; int status; union { double d; unsigned u; long long l; } value; };
struct temperature { unsigned version; int sensor; int celsius; };

static int gpu, clock_mhz = 1000;

int nvmlInit_v2(void) { return SUCCESS; }
const char *nvmlErrorString(int status) { return status == NOT_FOUND ? "Not Found" : "Some Error"; }
int nvmlSystemGetNVMLVersion(char *text, unsigned length) { strncpy(text, "13.580.1", length); return SUCCESS; }
int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, void **device) {
    *device = &gpu;
    return strcmp(bus, "0000:1B:00.0") == 0 ? SUCCESS : NOT_FOUND;
}
int nvmlDeviceGetClockInfo(void *device, int type, unsigned *mhz) {
    if (device != &gpu || type != 1) return NOT_SUPPORTED; // 1 is the clock of the multiprocessors
    *mhz = clock_mhz++;
    return SUCCESS;
}
int nvmlDeviceGetFieldValues(void *device, int count, struct field *fields) {
    if (count != 1 || fields[0].id != 186) return NOT_SUPPORTED; // 186 is NVML_FI_DEV_POWER_INSTANT
    fields[0].status = SUCCESS;
    fields[0].value.u = 412345;
    return SUCCESS;
}
int nvmlDeviceGetTemperatureV(void *device, struct temperature *t) {
    if (t->version != (sizeof *t | 1u << 24) || t->sensor != 0) return NOT_SUPPORTED;
    t->celsius = 61;
    return SUCCESS;
}
int nvmlDeviceGetUtilizationRates(void *device, unsigned *rates) { rates[0] = 98; rates[1] = 42; return SUCCESS; }
int nvmlDeviceGetCurrentClocksEventReasons(void *device, unsigned long long *reasons) { *reasons = 4; return SUCCESS; }
