package layerwise.kernels;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import layerwise.cuda.CudaEvent;
import layerwise.cuda.CudaGraph;
import layerwise.cuda.CudaStream;
import layerwise.cuda.DeviceException;
import layerwise.cuda.GraphExec;
import layerwise.cuda.MatmulPlan;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Journal;
import layerwise.op.Lane;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Replay;
import layerwise.op.Step;
import layerwise.op.TensorRef;
import layerwise.op.WeightPath;

/** A program whose launches are prepared. */
final class CudaExecution implements Execution {
    private final GpuContext gpu;
    private final Program program;
    private final CudaMemory memory;
    private final Journal journal;
    private final Arena arena;
    private final List<Prepared> steps;
    private final List<MatmulPlan> plans;
    private final List<WeightPath> weightPaths;
    private final List<String> kernels;

    /** A step, with what it needs to be enqueued. */
    private sealed interface Prepared {
        record Work(Operator operator, Launchable launchable, Lane lane) implements Prepared {}

        /** What is no operator. */
        record Bare(Launchable launchable) implements Prepared {}

        record Enter(String range) implements Prepared {}

        record Leave() implements Prepared {}

        /** The second queue goes on after the first came here. */
        record Hand(CudaEvent fence, Lane from) implements Prepared {}
    }

    private CudaExecution(
            GpuContext gpu,
            Program program,
            CudaMemory memory,
            Journal journal,
            Arena arena,
            List<Prepared> steps,
            List<MatmulPlan> plans,
            List<WeightPath> weightPaths,
            List<String> kernels) {
        this.plans = plans;
        this.kernels = List.copyOf(kernels);
        this.weightPaths = List.copyOf(weightPaths);
        this.gpu = gpu;
        this.program = program;
        this.memory = memory;
        this.journal = journal;
        this.arena = arena;
        this.steps = steps;
    }

    static CudaExecution prepare(GpuContext gpu, Program program, CudaMemory memory, Journal journal) {
        Arena arena = Arena.ofShared();
        try {
            Set<Buffer> reached = CollectiveLaunches.reached(gpu.links(), program.operators());
            for (Operator operator : program.operators()) {
                for (TensorRef output : operator.outputs()) {
                    Buffer buffer = output.buffer();
                    if (!memory.holds(buffer)) {
                        if (reached.contains(buffer)) {
                            memory.putShared(buffer);
                        } else {
                            memory.put(buffer, new Contents.Undefined());
                        }
                    }
                }
            }
            Preparation preparation = new Preparation(gpu, memory, arena);
            List<Prepared> steps = new ArrayList<>();
            for (Step step : program.steps()) {
                steps.add(
                        switch (step) {
                            case Step.Launch launch ->
                                new Prepared.Work(
                                        launch.operator(),
                                        preparation.prepare(launch.operator(), launch.lane()),
                                        launch.lane());
                            case Step.Enter enter -> new Prepared.Enter(enter.range());
                            case Step.Leave leave -> new Prepared.Leave();
                            case Step.Fork fork ->
                                new Prepared.Hand(gpu.device().createFence(), Lane.MAIN);
                            case Step.Join join ->
                                new Prepared.Hand(gpu.device().createFence(), Lane.AUXILIARY);
                        });
            }
            gpu.synchronize();
            return new CudaExecution(
                    gpu,
                    program,
                    memory,
                    journal,
                    arena,
                    steps,
                    preparation.plans(),
                    preparation.paths(),
                    preparation.kernels());
        } catch (RuntimeException | Error e) {
            memory.close();
            arena.close();
            throw e;
        }
    }

    /** An exchange of equal parts between tensors that {@code memory} holds. */
    static CudaExecution prepareAllToAll(GpuContext gpu, TensorRef x, TensorRef y, CudaMemory memory, Journal journal) {
        Arena arena = Arena.ofShared();
        try {
            Preparation preparation = new Preparation(gpu, memory, arena);
            Prepared step = new Prepared.Bare(NcclLaunches.allToAll(preparation, x, y));
            Program nothing = Program.builder().build(List.of());
            return new CudaExecution(
                    gpu, nothing, memory, journal, arena, List.of(step), List.of(), List.of(), preparation.kernels());
        } catch (RuntimeException | Error e) {
            memory.close();
            arena.close();
            throw e;
        }
    }

    @Override
    public void run() {
        gpu.enqueues(program);
        enqueue(false);
    }

    private void enqueue(boolean concurrent) {
        for (Prepared step : steps) {
            switch (step) {
                case Prepared.Work work -> {
                    boolean beside = concurrent && work.lane() == Lane.AUXILIARY;
                    launch(work, beside ? gpu.auxiliary() : gpu.main());
                }
                case Prepared.Bare bare -> bare.launchable().launch(gpu.main());
                case Prepared.Enter enter -> journal.enter(enter.range());
                case Prepared.Leave leave -> journal.leave();
                case Prepared.Hand hand -> {
                    if (concurrent) {
                        boolean fork = hand.from() == Lane.MAIN;
                        (fork ? gpu.main() : gpu.auxiliary()).record(hand.fence());
                        (fork ? gpu.auxiliary() : gpu.main()).await(hand.fence());
                    }
                }
            }
        }
    }

    private void launch(Prepared.Work work, CudaStream stream) {
        try {
            work.launchable().launch(stream);
            if (gpu.syncEveryLaunch()) {
                stream.synchronize();
            }
        } catch (DeviceException e) {
            throw OperatorException.at(work.operator(), e);
        }
    }

    @Override
    public Replay capture() {
        return capture(gpu, List.of(this));
    }

    /** All of them as one graph; eagerly where every launch is waited for. */
    static Replay capture(GpuContext gpu, List<CudaExecution> executions) {
        if (gpu.syncEveryLaunch()) {
            return eager(executions);
        }
        GraphExec exec;
        try (CudaGraph graph = gpu.main().capture(() -> executions.forEach(execution -> execution.enqueue(true)))) {
            exec = graph.instantiate();
        }
        exec.upload(gpu.main());
        return new Replay() {
            @Override
            public void launch() {
                gpu.enqueues(executions.getLast().program);
                exec.launch(gpu.main());
            }

            @Override
            public void close() {
                gpu.device().synchronize();
                exec.close();
            }
        };
    }

    private static Replay eager(List<CudaExecution> executions) {
        return new Replay() {
            @Override
            public void launch() {
                executions.forEach(CudaExecution::run);
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public List<String> kernels() {
        return kernels;
    }

    @Override
    public List<WeightPath> weightPaths() {
        return weightPaths;
    }

    @Override
    public Memory memory() {
        return memory;
    }

    @Override
    public void close() {
        gpu.device().synchronize();
        for (Prepared step : steps) {
            if (step instanceof Prepared.Hand hand) {
                hand.fence().close();
            }
        }
        plans.forEach(MatmulPlan::close);
        memory.close();
        arena.close();
    }
}
