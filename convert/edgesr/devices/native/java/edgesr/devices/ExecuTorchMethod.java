package edgesr.devices;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.pytorch.executorch.DType;
import org.pytorch.executorch.EValue;
import org.pytorch.executorch.Module;
import org.pytorch.executorch.Tensor;

/** One method of a .pte program that need not be edgesr's: a probe, with inner tensors among its outputs. */
final class ExecuTorchMethod {
    /** ExecuTorch's ScalarType of what programs give. */
    private static final int INT8 = 1;

    private static final int FLOAT32 = 6;

    private ExecuTorchMethod() {}

    static void run(String[] arguments) throws IOException {
        long[] shape = Arrays.stream(arguments[3].split(",")).mapToLong(Long::parseLong).toArray();
        int count = Integer.parseInt(arguments[4]);
        ByteBuffer in = Runner.memory((int) (4 * Arrays.stream(shape).reduce(1, (a, b) -> a * b)));
        System.loadLibrary("fbjni"); // ExecuTorch's classes load their own library, and need this one first
        Module module = Module.load(arguments[1], Module.LOAD_MODE_FILE, 1);
        EValue input = EValue.from(Tensor.fromBlob(in.asFloatBuffer(), shape));
        try (RandomAccessFile images = new RandomAccessFile(arguments[5], "r");
                FileChannel answers = Runner.writing(arguments[6])) {
            for (int index = 0; index < count; index++) {
                Runner.read(images, (long) index * in.capacity(), in);
                long start = System.nanoTime();
                EValue[] outputs = module.execute(arguments[2], input);
                double seconds = Runner.since(start);
                for (EValue output : outputs) {
                    Tensor tensor = output.toTensor();
                    if (index == 0) {
                        declare(tensor);
                    }
                    Runner.write(answers, values(tensor));
                }
                Runner.ran(seconds);
            }
        }
    }

    private static void declare(Tensor tensor) {
        String sides = LongStream.of(tensor.shape()).mapToObj(Long::toString).collect(Collectors.joining(","));
        Runner.say("output " + (isInt8(tensor) ? INT8 : FLOAT32) + " " + sides);
    }

    private static ByteBuffer values(Tensor tensor) {
        if (isInt8(tensor)) {
            return ByteBuffer.wrap(tensor.getDataAsByteArray());
        }
        float[] values = tensor.getDataAsFloatArray();
        ByteBuffer bytes = Runner.memory(4 * values.length);
        bytes.asFloatBuffer().put(values);
        return bytes;
    }

    private static boolean isInt8(Tensor tensor) {
        return tensor.dtype() == DType.INT8;
    }
}
