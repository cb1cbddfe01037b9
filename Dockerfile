# An image with the benchmark on its own Java runtime, Open MPI and the CUDA libraries.
#
#   docker build -t layerwise .
#   docker run --rm --gpus all --ipc host -v "$PWD/profiles:/work/profiles" -w /work layerwise run.sh config_gen.yaml

FROM eclipse-temurin:25-jdk-noble AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends maven \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN ./layerwise build

FROM nvidia/cuda:13.0.1-runtime-ubuntu24.04
RUN apt-get update \
    && apt-get install -y --no-install-recommends openmpi-bin libopenmpi3t64 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /source/target/image /opt/layerwise
ENV PATH=/opt/layerwise/bench:$PATH
WORKDIR /work
CMD ["layerwise", "devices"]
