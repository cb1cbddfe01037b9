package layerwise.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Collectives of ranks that are processes, which reach each other's memory through CUDA IPC and take turns on one GPU. */
@Tag("gpu")
class RankProcessesIT {
    @TempDir
    Path folder;

    @BeforeAll
    static void needsGpu() {
        try {
            assumeTrue(!DeviceInfo.all().isEmpty(), "the driver shows no device");
        } catch (DeviceUnavailableException e) {
            abort(e.getMessage());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void everyCollectiveHoldsBetweenProcesses(int ranks) throws IOException, InterruptedException {
        List<Process> processes = new ArrayList<>();
        try (ServerSocket hub = new ServerSocket(0, ranks, InetAddress.getLoopbackAddress())) {
            hub.setSoTimeout(30_000);
            for (int rank = 0; rank < ranks; rank++) {
                processes.add(start(rank, ranks, hub.getLocalPort()));
            }
            Socket[] sockets = new Socket[ranks];
            for (int i = 0; i < ranks; i++) {
                Socket socket = hub.accept();
                socket.setSoTimeout(120_000);
                sockets[new DataInputStream(socket.getInputStream()).readInt()] = socket;
            }
            handOn(sockets);
            for (Socket socket : sockets) {
                socket.close();
            }
            for (int rank = 0; rank < ranks; rank++) {
                Process process = processes.get(rank);
                boolean ended = process.waitFor(30, TimeUnit.SECONDS);
                String said = Files.readString(folder.resolve("rank" + rank));
                assertEquals(0, ended ? process.exitValue() : -1, said);
                assertEquals("", said);
            }
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private Process start(int rank, int ranks, int port) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        classPath(),
                        RankProcess.class.getName(),
                        Integer.toString(rank),
                        Integer.toString(ranks),
                        Integer.toString(port))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("rank" + rank).toFile())
                .start();
    }

    /** Wherever this test's classes and modules come from. */
    private static String classPath() {
        List<String> paths = new ArrayList<>();
        String place = RankProcess.class.getResource("RankProcess.class").toString();
        String below = RankProcess.class.getName().replace('.', '/') + ".class";
        if (place.startsWith("file:")) {
            paths.add(place.substring("file:".length(), place.length() - below.length()));
        }
        for (String property : List.of("jdk.module.path", "java.class.path")) {
            String path = System.getProperty(property, "");
            if (!path.isEmpty()) {
                paths.add(path);
            }
        }
        return String.join(File.pathSeparator, paths);
    }

    /** Gives every rank the messages of all, round after round, until one leaves: its exit status says why. */
    private static void handOn(Socket[] sockets) {
        try {
            while (true) {
                List<byte[]> messages = new ArrayList<>();
                for (Socket socket : sockets) {
                    DataInputStream in = new DataInputStream(socket.getInputStream());
                    messages.add(in.readNBytes(in.readInt()));
                }
                for (Socket socket : sockets) {
                    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                    for (byte[] message : messages) {
                        out.writeInt(message.length);
                        out.write(message);
                    }
                }
            }
        } catch (IOException e) {
            return;
        }
    }
}
