package layerwise.bench.ranks;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import layerwise.mpi.ProcessEnd;
import layerwise.op.RankGroup;
import layerwise.op.Rendezvous;
import layerwise.tensor.ConfigException;

/**
 * Ranks that meet at an address of rank 0, where there is no MPI: each has one connection to it. Bytes of set-up only travel
 * here, no collectives.
 */
final class TcpRendezvous implements Rendezvous {
    private static final int MAGIC = 0x4C57_0001; // "LW", version 1
    private static final Duration RETRY = Duration.ofMillis(100);

    private final RankGroup group;
    private final SortedMap<Integer, Peer> peers;

    private TcpRendezvous(RankGroup group, SortedMap<Integer, Peer> peers) {
        this.group = group;
        this.peers = peers;
    }

    /**
     * Meets the others.
     *
     * @param address  HOST:PORT of rank 0
     * @param patience how long to wait for them
     * @param log      is told why the process ends when another rank is gone
     * @throws ConfigException if not all come
     */
    static TcpRendezvous meet(RankGroup group, String address, Duration patience, Consumer<String> log) {
        InetSocketAddress place = parse(address);
        long deadline = System.nanoTime() + patience.toNanos();
        SortedMap<Integer, Peer> peers = new ConcurrentSkipListMap<>();
        Peer.Watcher watcher = new EndTogether(peers, log);
        try {
            if (group.rank() == 0) {
                accept(group, place, address, patience, deadline, peers, watcher, log);
            } else {
                peers.put(0, connect(group, place, address, patience, deadline, watcher));
            }
        } catch (IOException e) {
            peers.values().forEach(peer -> peer.abort(2));
            throw new ConfigException("environment: LAYERWISE_RENDEZVOUS=%s: %s".formatted(address, e.getMessage()), e);
        } catch (ConfigException e) {
            peers.values().forEach(peer -> peer.abort(2));
            throw e;
        }
        return new TcpRendezvous(group, peers);
    }

    /** Ends this process when another rank ends, and tells those that would not notice. */
    private record EndTogether(SortedMap<Integer, Peer> peers, Consumer<String> log) implements Peer.Watcher {
        @Override
        public void aborted(int rank, int status) {
            end(rank, status);
        }

        @Override
        public void lost(int rank, String reason) {
            log.accept("rank %d is gone: its process died or cannot be reached (%s)".formatted(rank, reason));
            end(rank, 1);
        }

        private void end(int rank, int status) {
            peers.forEach((other, peer) -> {
                if (other != rank) {
                    peer.abort(status);
                }
            });
            ProcessEnd.now(status);
        }
    }

    private static InetSocketAddress parse(String address) {
        int colon = address.lastIndexOf(':');
        try {
            if (colon > 0) {
                return new InetSocketAddress(
                        address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
            }
        } catch (IllegalArgumentException e) {
            throw new ConfigException(
                    "environment: LAYERWISE_RENDEZVOUS=%s: expected HOST:PORT of rank 0".formatted(address), e);
        }
        throw new ConfigException(
                "environment: LAYERWISE_RENDEZVOUS=%s: expected HOST:PORT of rank 0".formatted(address));
    }

    private static void accept(
            RankGroup group,
            InetSocketAddress place,
            String address,
            Duration patience,
            long deadline,
            SortedMap<Integer, Peer> peers,
            Peer.Watcher watcher,
            Consumer<String> log)
            throws IOException {
        try (ServerSocket server = new ServerSocket()) {
            server.setReuseAddress(true);
            server.bind(new InetSocketAddress(place.getPort()));
            while (peers.size() < group.size() - 1) {
                long millis = (deadline - System.nanoTime()) / 1_000_000;
                if (millis <= 0) {
                    throw missing(group, address, patience, peers);
                }
                server.setSoTimeout((int) millis);
                Socket socket;
                try {
                    socket = server.accept();
                } catch (SocketTimeoutException e) {
                    throw missing(group, address, patience, peers);
                }
                welcome(group, socket, peers, watcher, log);
            }
        }
    }

    private static ConfigException missing(
            RankGroup group, String address, Duration patience, SortedMap<Integer, Peer> peers) {
        String absent = IntStream.range(1, group.size())
                .filter(rank -> !peers.containsKey(rank))
                .mapToObj(Integer::toString)
                .collect(Collectors.joining(", "));
        return new ConfigException("rendezvous: rank %s of %d did not come to %s within %d s"
                .formatted(absent, group.size(), address, patience.toSeconds()));
    }

    /** Takes in a rank; whoever else knocks is sent away. */
    private static void welcome(
            RankGroup group, Socket socket, SortedMap<Integer, Peer> peers, Peer.Watcher watcher, Consumer<String> log)
            throws IOException {
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(5000);
        try {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            boolean ours = in.readInt() == MAGIC;
            int rank = ours ? in.readInt() : -1;
            int size = ours ? in.readInt() : -1;
            if (ours && size == group.size() && rank > 0 && rank < size && !peers.containsKey(rank)) {
                socket.setSoTimeout(0);
                new DataOutputStream(socket.getOutputStream()).writeInt(MAGIC);
                peers.put(rank, new Peer(rank, socket, watcher));
                return;
            }
            if (ours) {
                log.accept("rendezvous: sent away a rank %d of %d: this is %d of %d, with %s here already"
                        .formatted(rank, size, group.rank(), group.size(), peers.keySet()));
            }
        } catch (SocketTimeoutException | EOFException e) {
            log.accept("rendezvous: somebody connected and said nothing");
        }
        socket.close();
    }

    private static Peer connect(
            RankGroup group,
            InetSocketAddress place,
            String address,
            Duration patience,
            long deadline,
            Peer.Watcher watcher)
            throws IOException {
        while (true) {
            long millis = (deadline - System.nanoTime()) / 1_000_000;
            if (millis <= 0) {
                throw new ConfigException("rendezvous: rank 0 of %d was not at %s within %d s"
                        .formatted(group.size(), address, patience.toSeconds()));
            }
            Socket socket = new Socket();
            try {
                // Resolved anew each time: rank 0's machine may get its name late.
                socket.connect(new InetSocketAddress(place.getHostString(), place.getPort()), (int) millis);
                socket.setTcpNoDelay(true);
                DataOutputStream hello = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
                hello.writeInt(MAGIC);
                hello.writeInt(group.rank());
                hello.writeInt(group.size());
                hello.flush();
                socket.setSoTimeout((int) Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
                if (new DataInputStream(socket.getInputStream()).readInt() == MAGIC) {
                    socket.setSoTimeout(0);
                    return new Peer(0, socket, watcher);
                }
            } catch (EOFException e) {
                socket.close();
                throw new ConfigException(
                        "rendezvous: %s sent rank %d of %d away: another has that rank, or their numbers differ"
                                .formatted(address, group.rank(), group.size()),
                        e);
            } catch (IOException e) {
                // Nobody there yet.
                socket.close();
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(RETRY);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted at the rendezvous", e);
        }
    }

    @Override
    public RankGroup group() {
        return group;
    }

    @Override
    public List<byte[]> allGather(byte[] own) {
        if (group.rank() != 0) {
            Peer first = peers.get(0);
            first.send(own);
            return IntStream.range(0, group.size())
                    .mapToObj(rank -> first.receive())
                    .toList();
        }
        List<byte[]> all = new ArrayList<>();
        all.add(own.clone());
        peers.values().forEach(peer -> all.add(peer.receive()));
        peers.values().forEach(peer -> all.forEach(peer::send));
        return List.copyOf(all);
    }

    @Override
    public void abort(int status) {
        peers.values().forEach(peer -> peer.abort(status));
    }

    @Override
    public void close() {
        barrier(); // so that nobody takes the end of a connection for the end of a rank
        peers.values().forEach(Peer::leave);
    }
}
