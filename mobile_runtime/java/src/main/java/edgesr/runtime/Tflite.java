package edgesr.runtime;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a sound .tflite file holds for its reader: metadata entries and signatures, both by name.
 *
 * <p>The engine trusts its input: an invalid zero point or index ends the process by a segmentation fault. So a
 * file is read here first and every rule is checked whose breach is known or likely to crash.
 */
final class Tflite {
    static final String IDENTIFIER = "TFL3";

    private static final int VERSION = 3;
    private static final int MAX_ITEMS = 100_000; // in any list of tensors, operators or buffers
    private static final int MAX_NAMES = 1000;
    private static final int MAX_GRAPHS = 100;

    final Map<String, FlatVector> metadata;
    final Map<String, Signature> signatures;

    private Tflite(Map<String, FlatVector> metadata, Map<String, Signature> signatures) {
        this.metadata = metadata;
        this.signatures = signatures;
    }

    /**
     * Checks a file's structure. Refused is what breaks the format, or uses what edgesr programs never use (tensor
     * data outside the file, sparse tensors, custom operators).
     */
    static Tflite read(byte[] data) throws Refused {
        FlatTable model = new FlatFile(data).root(IDENTIFIER);
        if (model.uint32(0) != VERSION) {
            throw new Refused("its TFLite schema version is " + model.uint32(0) + ", not " + VERSION);
        }
        if (!model.tables(8, 0).isEmpty() || !model.tables(9, 0).isEmpty()) {
            throw new Refused("it keeps tensor data in other files");
        }
        List<FlatVector> buffers = buffers(model);
        List<FlatTable> operatorCodes = model.tables(1, MAX_ITEMS);
        for (FlatTable code : operatorCodes) {
            String custom = code.string(1);
            if (!custom.isEmpty()) {
                throw new Refused("it uses the custom operator '" + Rules.shown(custom) + "'");
            }
        }
        List<TfliteGraph> graphs = new ArrayList<>();
        for (FlatTable graph : model.tables(2, MAX_GRAPHS)) {
            graphs.add(TfliteGraph.read(graph, buffers, operatorCodes.size(), MAX_ITEMS));
        }
        return new Tflite(metadata(model, buffers), signatures(model, graphs));
    }

    private static List<FlatVector> buffers(FlatTable model) throws Refused {
        List<FlatVector> buffers = new ArrayList<>();
        for (FlatTable table : model.tables(4, MAX_ITEMS)) {
            if (table.int64(1) != 0 || table.int64(2) != 0) {
                throw new Refused("it keeps tensor data behind the end of its FlatBuffers part");
            }
            buffers.add(table.bytes(0));
        }
        if (buffers.isEmpty() || buffers.get(0).length > 0) {
            throw new Refused("its buffer 0, which stands for no data, is missing or not empty");
        }
        return buffers;
    }

    private static Map<String, FlatVector> metadata(FlatTable model, List<FlatVector> buffers) throws Refused {
        Map<String, FlatVector> entries = new HashMap<>();
        for (FlatTable entry : model.tables(6, MAX_NAMES)) {
            String name = entry.string(0);
            long index = entry.uint32(1);
            if (index >= buffers.size() || entries.put(name, buffers.get((int) index)) != null) {
                throw new Refused("its metadata entry '" + Rules.shown(name) + "' is double or has no buffer");
            }
        }
        return entries;
    }

    private static Map<String, Signature> signatures(FlatTable model, List<TfliteGraph> graphs) throws Refused {
        Map<String, Signature> signatures = new LinkedHashMap<>();
        for (FlatTable entry : model.tables(7, MAX_NAMES)) {
            String name = entry.string(2);
            long index = entry.uint32(4);
            if (signatures.containsKey(name) || index >= graphs.size()) {
                throw new Refused("its signature '" + Rules.shown(name) + "' is double or has no subgraph");
            }
            TfliteGraph graph = graphs.get((int) index);
            signatures.put(name, new Signature(
                    formats(entry.tables(0, MAX_NAMES), graph, graph.inputs, name),
                    formats(entry.tables(1, MAX_NAMES), graph, graph.outputs, name)));
        }
        return signatures;
    }

    /** A signature's inputs or outputs, which must be the subgraph's own. */
    private static Map<String, String> formats(
            List<FlatTable> entries, TfliteGraph graph, Set<Integer> expected, String signature) throws Refused {
        Map<String, Integer> named = new HashMap<>();
        for (FlatTable entry : entries) {
            named.put(entry.string(0), entry.int32(1)); // beyond 31 bits negative, which no subgraph has
        }
        if (!new HashSet<>(named.values()).equals(expected)) {
            throw new Refused("the tensors of its signature '" + Rules.shown(signature)
                    + "' are not those of its subgraph");
        }
        Map<String, String> formats = new HashMap<>();
        for (Map.Entry<String, Integer> entry : named.entrySet()) {
            formats.put(entry.getKey(), graph.tensors.get(entry.getValue()).format());
        }
        return formats;
    }
}
