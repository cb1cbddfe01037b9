package layerwise.bench.ranks;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** Another rank at the end of a connection. A thread listens all the time, so that a rank that dies is noticed at once. */
final class Peer {
    /** What becomes of this process when the other rank ends; called by the listening thread. */
    interface Watcher {
        /** The other rank fails and has said why. */
        void aborted(int rank, int status);

        /** The other rank is gone without a word. */
        void lost(int rank, String reason);
    }

    private static final int LEAVE = -1;
    private static final int ABORT = -2;

    /** A message is at most as long as a rank could sensibly say during set-up. */
    private static final int LONGEST = 64 << 20;

    private final int rank;
    private final Socket socket;
    private final DataOutputStream out;
    private final BlockingQueue<byte[]> received = new LinkedBlockingQueue<>();
    private final Watcher watcher;

    Peer(int rank, Socket socket, Watcher watcher) throws IOException {
        this.rank = rank;
        this.socket = socket;
        this.watcher = watcher;
        out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
        DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        Thread.ofPlatform().daemon().name("rank " + rank).start(() -> listen(in));
    }

    private void listen(DataInputStream in) {
        try {
            while (true) {
                int length = in.readInt();
                if (length == LEAVE) {
                    return;
                }
                if (length == ABORT) {
                    watcher.aborted(rank, in.readInt());
                    return;
                }
                if (length < 0 || length > LONGEST) {
                    throw new IOException("a message of %d bytes".formatted(length));
                }
                received.add(in.readNBytes(length));
            }
        } catch (IOException e) {
            watcher.lost(rank, e.getMessage() == null ? "connection closed" : e.getMessage());
        }
    }

    void send(byte[] message) {
        try {
            out.writeInt(message.length);
            out.write(message);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("rank %d cannot be reached".formatted(rank), e);
        }
    }

    byte[] receive() {
        try {
            return received.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while rank %d is waited for".formatted(rank), e);
        }
    }

    /** Tells the other rank to end; one that is gone needs no telling. */
    void abort(int status) {
        try {
            out.writeInt(ABORT);
            out.writeInt(status);
            out.flush();
        } catch (IOException e) {
            System.getLogger("layerwise").log(System.Logger.Level.DEBUG, "rank {0} is gone already: {1}", rank, e);
        }
    }

    void leave() {
        try {
            out.writeInt(LEAVE);
            out.flush();
            socket.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException("rank %d cannot be reached".formatted(rank), e);
        }
    }
}
