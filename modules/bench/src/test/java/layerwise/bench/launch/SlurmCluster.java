package layerwise.bench.launch;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real Slurm with this machine as its only node, for as long as it is open. */
final class SlurmCluster implements AutoCloseable {
    private static final List<String> PROGRAMS =
            List.of("/usr/sbin/munged", "/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/bin/srun", "/usr/bin/salloc");

    private final Path folder;
    private final Process daemons;

    private SlurmCluster(Path folder, Process daemons) {
        this.folder = folder;
        this.daemons = daemons;
    }

    /** Starts one; skips the test where that cannot be done. */
    static SlurmCluster start(Path folder) throws IOException {
        assumeTrue(
                PROGRAMS.stream().map(Path::of).allMatch(Files::isExecutable),
                "needs Debian's packages slurm-wlm and munge");
        assumeTrue("root".equals(System.getProperty("user.name")), "Slurm starts tasks as root only");
        Path script = folder.resolve("slurm_cluster.sh");
        try (InputStream in = SlurmCluster.class.getResourceAsStream("slurm_cluster.sh")) {
            Files.write(script, in.readAllBytes());
        }
        ProcessBuilder builder =
                new ProcessBuilder("/usr/bin/bash", script.toString(), folder.toString(), freePort(), freePort());
        builder.environment().keySet().removeIf(name -> name.startsWith("SLURM"));
        Process daemons = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        SlurmCluster cluster = new SlurmCluster(folder, daemons);
        try (BufferedReader output = daemons.inputReader()) {
            StringBuilder said = new StringBuilder();
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                if (line.equals("ready")) {
                    return cluster;
                }
                said.append(line).append('\n');
            }
            throw new AssertionError("Slurm did not start:\n" + said);
        }
    }

    private static String freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return Integer.toString(socket.getLocalPort());
        }
    }

    /** What tells Slurm's programs of this cluster: {@code SLURM_CONF}. */
    String configuration() {
        return folder.resolve("slurm.conf").toString();
    }

    /** Stops every daemon and job. */
    @Override
    public void close() throws IOException {
        daemons.getOutputStream().close();
        try {
            if (!daemons.waitFor(30, TimeUnit.SECONDS)) {
                daemons.destroy();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Command lines of processes that belong to the cluster and still run. */
    List<String> processes() {
        return ProcessHandle.allProcesses()
                .map(process -> process.info().commandLine().orElse(""))
                .filter(line -> line.contains(folder.toString()))
                .toList();
    }
}
