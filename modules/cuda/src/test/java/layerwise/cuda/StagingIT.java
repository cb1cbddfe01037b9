package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@NeedsGpu
class StagingIT {
    @TempDir
    Path folder;

    private Arena arena;
    private Device device;
    private CudaStream stream;
    private Staging staging;

    @BeforeEach
    void open() {
        arena = Arena.ofShared();
        device = Device.open(0);
        stream = device.createStream();
        staging = Staging.open(device, stream);
    }

    @AfterEach
    void close() {
        staging.close();
        device.close();
        arena.close();
        assertEquals(0, device.liveHandles());
    }

    /** Parts of a mapped file, so ragged that chunks begin and end within them. */
    private List<MemorySegment> parts(long bytes) throws IOException {
        Random random = new Random(11);
        byte[] block = new byte[1 << 20];
        Path file = folder.resolve("weights");
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            for (long at = 0; at < bytes; at += block.length) {
                random.nextBytes(block);
                out.write(block, 0, (int) Math.min(block.length, bytes - at));
            }
        }
        try (FileChannel channel = FileChannel.open(file)) {
            MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena);
            List<MemorySegment> parts = new ArrayList<>();
            long at = 0;
            while (at < bytes) {
                long next = Math.min(bytes, at + random.nextLong(1, 9_000_000));
                parts.add(all.asSlice(at, next - at));
                at = next;
            }
            return parts;
        }
    }

    private void upload(List<MemorySegment> parts, DeviceBuffer target) {
        staging.upload(List.of(new Staging.Upload(parts, target)));
    }

    /** Of many copies together each finds its own place, beside others that are neighbours in the file. */
    @Test
    void copiesTogetherKeepApart() throws IOException {
        List<MemorySegment> parts = parts(60_000_001);
        List<DeviceBuffer> targets = new ArrayList<>();
        List<Staging.Upload> uploads = new ArrayList<>();
        for (MemorySegment part : parts) {
            DeviceBuffer target = device.allocate(part.byteSize());
            targets.add(target);
            uploads.add(new Staging.Upload(List.of(part), target));
        }
        staging.upload(uploads);
        for (int i = 0; i < parts.size(); i++) {
            MemorySegment back = arena.allocate(parts.get(i).byteSize(), 256);
            device.download(targets.get(i), back, stream);
            assertEquals(-1, parts.get(i).mismatch(back), "copy " + i);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 4_194_303, 4_194_304, 4_194_305, 300_000_007})
    void everyByteArrivesWhateverThePartsAre(long bytes) throws IOException {
        List<MemorySegment> parts = parts(bytes);
        DeviceBuffer target = device.allocate(bytes);
        for (int round = 0; round < 2; round++) {
            stream.fill(target, (byte) 0x5A);
            upload(parts, target);
            MemorySegment back = arena.allocate(bytes, 256);
            device.download(target, back, stream);
            long at = 0;
            for (MemorySegment part : parts) {
                assertEquals(-1, part.mismatch(back.asSlice(at, part.byteSize())), "part at " + at);
                at += part.byteSize();
            }
        }
    }

    @Test
    void aFileThatBecameShorterIsAnErrorAndTheNextUploadWorks() throws IOException {
        List<MemorySegment> parts = parts(50_000_000);
        DeviceBuffer target = device.allocate(50_000_000);
        try (FileChannel channel = FileChannel.open(folder.resolve("weights"), StandardOpenOption.WRITE)) {
            channel.truncate(10_000_000);
        }
        assertThrows(InternalError.class, () -> upload(parts, target));
        Files.delete(folder.resolve("weights"));
        upload(parts(20_000_000), target);
        stream.synchronize();
    }

    @Test
    void partsLongerThanTheTargetAreRefused() throws IOException {
        List<MemorySegment> parts = parts(1000);
        DeviceBuffer target = device.allocate(999);
        assertThrows(IndexOutOfBoundsException.class, () -> upload(parts, target));
    }
}
