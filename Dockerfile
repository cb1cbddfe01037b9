# An image with the benchmark and the report on Java runtimes of their own, Open MPI and the CUDA libraries.
#
#   docker build -t layerwise .
#   docker run --rm --gpus all --ipc host -v "$PWD/profiles:/work/profiles" layerwise run.sh config_gen.yaml
#   docker run … -e NP=4 layerwise mpi_launch.sh run.sh config_gen.yaml
#
# GPU_METRICS=1 samples counters only with --cap-add SYS_ADMIN, or where the driver allows everybody to.

FROM eclipse-temurin:25-jdk-noble AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends maven \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN ./layerwise build

FROM nvidia/cuda:13.0.1-runtime-ubuntu24.04
# CUPTI is the built-in tracer's and NVTX is for nsys; the image has the other CUDA libraries.
RUN apt-get update \
    && apt-get install -y --no-install-recommends cuda-cupti-13-0 cuda-nvtx-13-0 openmpi-bin libopenmpi3t64 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /source/target/image/bench /opt/layerwise/bench
COPY --from=build /source/target/image/report /opt/layerwise/report
ENV PATH=/opt/layerwise/bench:$PATH
WORKDIR /work
CMD ["layerwise", "devices"]
