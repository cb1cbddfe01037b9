package layerwise.reference;

import java.util.ArrayList;
import java.util.List;
import layerwise.op.Buffer;
import layerwise.op.Communicator;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Replay;
import layerwise.op.Step;
import layerwise.op.TensorRef;

/** A program with a place for each intermediate buffer. */
final class ReferenceExecution implements Execution {
    private final Program program;
    private final ReferenceMemory memory;
    private final Journal journal;
    private final Interpreter interpreter;

    ReferenceExecution(Program program, ReferenceMemory memory, Journal journal, Communicator communicator) {
        this.program = program;
        this.memory = memory;
        this.journal = journal;
        this.interpreter = new Interpreter(memory, communicator);
        for (Operator operator : program.operators()) {
            for (TensorRef output : operator.outputs()) {
                Buffer buffer = output.buffer();
                if (!memory.holds(buffer)) {
                    memory.put(buffer, new Contents.Undefined());
                }
            }
        }
    }

    @Override
    public void run() {
        for (Step step : program.steps()) {
            switch (step) {
                case Step.Enter enter -> journal.enter(enter.range());
                case Step.Leave leave -> journal.leave();
                case Step.Launch launch -> run(launch);
                case Step.Fork fork -> {}
                case Step.Join join -> {}
            }
        }
    }

    private void run(Step.Launch launch) {
        long start = journal.now();
        interpreter.run(launch.operator());
        journal.ran(launch.operator().name(), launch.lane(), start, journal.now());
    }

    @Override
    public Replay capture() {
        Journal.Graph graph = journal.capture();
        List<Operator> nodes = new ArrayList<>();
        for (Step step : program.steps()) {
            switch (step) {
                case Step.Enter enter -> journal.enter(enter.range());
                case Step.Leave leave -> journal.leave();
                case Step.Launch launch -> {
                    graph.node(launch.operator().name(), launch.lane());
                    nodes.add(launch.operator());
                }
                case Step.Fork fork -> {}
                case Step.Join join -> {}
            }
        }
        return new Replay() {
            @Override
            public void launch() {
                graph.launch();
                for (int node = 0; node < nodes.size(); node++) {
                    long start = journal.now();
                    interpreter.run(nodes.get(node));
                    graph.ran(node, start, journal.now());
                }
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public Memory memory() {
        return memory;
    }

    @Override
    public void close() {
        memory.close();
    }
}
