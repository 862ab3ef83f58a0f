package edgesr.devices;

import edgesr.runtime.EdgesrException;
import edgesr.runtime.Engine;
import edgesr.runtime.ExecuTorchEngine;
import edgesr.runtime.ProgramFile;
import edgesr.runtime.Route;
import edgesr.runtime.TfLiteEngine;
import edgesr.runtime.Upscaler;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;

/**
 * Runs on the other side: pictures through a program in a Java virtual machine, with Android's libraries.
 *
 * <pre>
 * usage: Runner app    PROGRAM COUNT TILES ANSWERS PICTURES ENLARGED
 *        Runner method PROGRAM METHOD N,C,H,W COUNT IMAGES ANSWERS
 * </pre>
 *
 * <p>{@code app} opens the file as an app does, by edgesr's runtime for Android, and runs every variant: TILES holds
 * COUNT float32 tiles in NHWC, ANSWERS takes those of one variant after the other. Then it enlarges whole pictures on
 * the route that the program asks for: PICTURES holds width and height as big-endian int32 and bytes of RGB for each,
 * ENLARGED takes such bytes. {@code method} has ExecuTorch run one method, as pte_runner.cpp does. Prints
 * {@code ran SECONDS} after each run. Exit code 3: the program is refused, the last line of stdout says why.
 */
public final class Runner {
    private static final int REFUSED = 3;
    private static final int CHANNELS = 3;

    private Runner() {}

    public static void main(String[] arguments) throws IOException {
        int status = 0;
        try {
            if (arguments[0].equals("app")) {
                runApp(arguments);
            } else {
                ExecuTorchMethod.run(arguments);
            }
        } catch (EdgesrException | RuntimeException | LinkageError error) {
            say("refused " + String.valueOf(error.getMessage()).replaceAll("\\s+", " "));
            status = REFUSED;
        }
        // Android's libraries must not be unloaded by glibc: their clean-up is bionic's.
        Runtime.getRuntime().halt(status);
    }

    private static void runApp(String[] arguments) throws IOException, EdgesrException {
        Path path = Paths.get(arguments[1]);
        ProgramFile program = ProgramFile.read(Files.readAllBytes(path), path.getFileName().toString());
        try (Engine engine = open(program, path.toAbsolutePath().getParent())) {
            runTiles(program, engine, Integer.parseInt(arguments[2]), arguments[3], arguments[4]);
            enlarge(program, engine, arguments[5], arguments[6]);
        }
    }

    private static Engine open(ProgramFile program, Path folder) throws EdgesrException {
        return program.format == ProgramFile.Format.PTE
                ? new ExecuTorchEngine(program, folder.toFile(), 1)
                : new TfLiteEngine(program, 1);
    }

    private static void runTiles(ProgramFile program, Engine engine, int count, String tiles, String output)
            throws IOException, EdgesrException {
        int side = program.info.tile * program.info.scale;
        ByteBuffer in = memory(4 * CHANNELS * program.info.tile * program.info.tile);
        ByteBuffer out = memory(4 * CHANNELS * side * side);
        FloatBuffer from = in.asFloatBuffer();
        FloatBuffer to = out.asFloatBuffer();
        try (RandomAccessFile images = new RandomAccessFile(tiles, "r");
                FileChannel answers = writing(output)) {
            for (String variant : engine.variants()) {
                say("loading " + variant);
                for (int index = 0; index < count; index++) {
                    read(images, (long) index * in.capacity(), in);
                    long start = System.nanoTime();
                    engine.run(variant, from, to);
                    double seconds = since(start);
                    write(answers, out);
                    ran(seconds);
                }
            }
        }
    }

    private static void enlarge(ProgramFile program, Engine engine, String input, String output)
            throws IOException, EdgesrException {
        Upscaler upscaler = new Upscaler(program.info, engine);
        Route route = Route.automatic(program.info);
        try (DataInputStream pictures = new DataInputStream(Files.newInputStream(Paths.get(input)));
                FileChannel enlarged = writing(output)) {
            while (pictures.available() > 0) {
                int width = pictures.readInt();
                int height = pictures.readInt();
                byte[] rgb = new byte[CHANNELS * width * height];
                pictures.readFully(rgb);
                Pixels.Sink sink = new Pixels.Sink();
                upscaler.run(Pixels.source(width, height, rgb), sink, route, null, null);
                write(enlarged, sink.rgb());
            }
        }
    }

    static ByteBuffer memory(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    static FileChannel writing(String path) throws IOException {
        return FileChannel.open(Paths.get(path), StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING);
    }

    static void read(RandomAccessFile file, long position, ByteBuffer into) throws IOException {
        byte[] bytes = new byte[into.capacity()];
        file.seek(position);
        file.readFully(bytes);
        into.clear();
        into.put(bytes);
        into.clear();
    }

    static void write(FileChannel file, ByteBuffer from) throws IOException {
        from.clear();
        while (from.hasRemaining()) {
            file.write(from);
        }
    }

    static double since(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    static void ran(double seconds) {
        say("ran " + seconds);
    }

    static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
