package layerwise.reference;

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
        return new Replay() {
            @Override
            public void launch() {
                run();
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
