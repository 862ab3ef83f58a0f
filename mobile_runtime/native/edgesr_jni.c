/* The bridge between edgesr.runtime.TfLiteEngine and TensorFlow Lite's C API.
 *
 * One interpreter holds a program; each variant is a signature of it, prepared at its first run and kept. All of
 * it runs in XNNPACK, whose arithmetic alone is the one that programs are made and checked for. Every failure
 * becomes an EdgesrException that tells what TensorFlow Lite reported.
 */
#include "jni_subset.h"
#include "libc_subset.h"
#include "tflite_subset.h"

#define MAX_VARIANTS 8
#define INPUT "image"
#define OUTPUT "sr"

typedef struct {
    TfLiteModel *model;
    TfLiteDelegate *xnnpack;
    TfLiteInterpreter *interpreter;
    TfLiteSignatureRunner *runners[MAX_VARIANTS];
    JniInt tile;
    JniInt side; /* of the answer */
    char report[512]; /* what TensorFlow Lite said of the call in work */
    size_t reported;
} Engine;

static void report(void *user_data, const char *format, va_list args) {
    Engine *engine = user_data;
    size_t room = sizeof engine->report - engine->reported;
    if (room < 2) {
        return;
    }
    if (engine->reported) {
        engine->report[engine->reported++] = ' ';
        room--;
    }
    int written = vsnprintf(engine->report + engine->reported, room, format, args);
    if (written > 0) {
        engine->reported += (size_t)written < room ? (size_t)written : room - 1;
    }
}

static void forget_reports(Engine *engine) {
    engine->reported = 0;
    engine->report[0] = 0;
}

/* JNI takes modified UTF-8 only and messages are one line: anything but plain characters is replaced. */
static void make_plain(char *text) {
    for (; *text; text++) {
        if (*text < ' ' || *text > '~') {
            *text = ' ';
        }
    }
}

/* `what` went wrong; the caller must return to Java at once. */
static void fail(JniEnv *env, const char *what, const Engine *engine) {
    char message[768];
    const char *reason = engine && engine->reported ? engine->report : "it does not say why";
    snprintf(message, sizeof message, "the program %s in TensorFlow Lite (%s); convert it again", what, reason);
    make_plain(message);
    JniObject exception_class = jni_find_class(env, "edgesr/runtime/EdgesrException");
    if (exception_class) { /* else the virtual machine has thrown already */
        jni_throw_new(env, exception_class, message);
    }
}

static void destroy(Engine *engine) {
    for (int i = 0; i < MAX_VARIANTS; i++) {
        if (engine->runners[i]) {
            TfLiteSignatureRunnerDelete(engine->runners[i]);
        }
    }
    if (engine->interpreter) {
        TfLiteInterpreterDelete(engine->interpreter);
    }
    if (engine->xnnpack) {
        TfLiteXNNPackDelegateDelete(engine->xnnpack);
    }
    if (engine->model) {
        TfLiteModelDelete(engine->model);
    }
    free(engine);
}

/* Fills `engine`, which is all zeros; 0 where TensorFlow Lite refuses. */
static int load(Engine *engine, const void *program, size_t size, JniInt threads) {
    engine->model = TfLiteModelCreateWithErrorReporter(program, size, report, engine);
    if (!engine->model) {
        return 0;
    }
    TfLiteXNNPackDelegateOptions xnnpack = TfLiteXNNPackDelegateOptionsDefault();
    xnnpack.num_threads = threads;
    engine->xnnpack = TfLiteXNNPackDelegateCreate(&xnnpack);
    TfLiteInterpreterOptions *options = engine->xnnpack ? TfLiteInterpreterOptionsCreate() : 0;
    if (!options) {
        return 0;
    }
    TfLiteInterpreterOptionsSetNumThreads(options, threads);
    TfLiteInterpreterOptionsSetErrorReporter(options, report, engine);
    TfLiteInterpreterOptionsAddDelegate(options, engine->xnnpack);
    engine->interpreter = TfLiteInterpreterCreate(engine->model, options);
    TfLiteInterpreterOptionsDelete(options);
    return engine->interpreter != 0;
}

JNI_EXPORT JniObject Java_edgesr_runtime_TfLiteEngine_tfLiteVersion(JniEnv *env, JniObject engine_class) {
    (void)engine_class;
    return jni_new_string(env, TfLiteVersion());
}

JNI_EXPORT JniLong Java_edgesr_runtime_TfLiteEngine_open(JniEnv *env, JniObject engine_class, JniObject program,
                                                         JniInt threads, JniInt tile, JniInt side) {
    (void)engine_class;
    Engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        fail(env, "has no memory", 0);
        return 0;
    }
    engine->tile = tile;
    engine->side = side;
    size_t size = (size_t)jni_buffer_capacity(env, program);
    if (!load(engine, jni_buffer_address(env, program), size, threads)) {
        fail(env, "does not load", engine);
        destroy(engine);
        return 0;
    }
    return (JniLong)(intptr_t)engine;
}

JNI_EXPORT void Java_edgesr_runtime_TfLiteEngine_close(JniEnv *env, JniObject engine_class, JniLong handle) {
    (void)env;
    (void)engine_class;
    destroy((Engine *)(intptr_t)handle);
}

/* Whether a tensor is float32 [1, side, side, 3]. */
static int is_picture(const TfLiteTensor *tensor, JniInt side) {
    const int32_t shape[] = {1, side, side, 3};
    if (!tensor || TfLiteTensorType(tensor) != kTfLiteFloat32 || TfLiteTensorNumDims(tensor) != 4) {
        return 0;
    }
    for (int32_t axis = 0; axis < 4; axis++) {
        if (TfLiteTensorDim(tensor, axis) != shape[axis]) {
            return 0;
        }
    }
    return 1;
}

static size_t picture_bytes(JniInt side) {
    return (size_t)side * (size_t)side * 3 * sizeof(float);
}

/* The variant's runner, ready to run; 0 where TensorFlow Lite refuses. */
static TfLiteSignatureRunner *prepared(Engine *engine, JniInt index, const char *variant) {
    if (!engine->runners[index]) {
        TfLiteSignatureRunner *runner = TfLiteInterpreterGetSignatureRunner(engine->interpreter, variant);
        if (runner && TfLiteSignatureRunnerAllocateTensors(runner) != kTfLiteOk) {
            TfLiteSignatureRunnerDelete(runner);
            runner = 0;
        }
        engine->runners[index] = runner;
    }
    return engine->runners[index];
}

/* What went wrong; 0 for nothing. */
static const char *run(Engine *engine, TfLiteSignatureRunner *runner, const void *in, void *out) {
    TfLiteTensor *image = TfLiteSignatureRunnerGetInputTensor(runner, INPUT);
    if (!is_picture(image, engine->tile)) {
        return "takes another input than its metadata says";
    }
    if (TfLiteTensorCopyFromBuffer(image, in, picture_bytes(engine->tile)) != kTfLiteOk ||
        TfLiteSignatureRunnerInvoke(runner) != kTfLiteOk) {
        return "does not run";
    }
    const TfLiteTensor *answer = TfLiteSignatureRunnerGetOutputTensor(runner, OUTPUT);
    if (!is_picture(answer, engine->side)) {
        return "gives another answer than its metadata says";
    }
    return TfLiteTensorCopyToBuffer(answer, out, picture_bytes(engine->side)) == kTfLiteOk ? 0 : "gives no answer";
}

JNI_EXPORT void Java_edgesr_runtime_TfLiteEngine_run(JniEnv *env, JniObject engine_class, JniLong handle,
                                                     JniInt index, JniObject variant, JniObject in,
                                                     JniObject out) {
    (void)engine_class;
    Engine *engine = (Engine *)(intptr_t)handle;
    forget_reports(engine);
    const char *name = jni_string_chars(env, variant);
    if (!name) {
        return; /* out of memory: the virtual machine has thrown */
    }
    TfLiteSignatureRunner *runner = index < MAX_VARIANTS ? prepared(engine, index, name) : 0;
    jni_release_chars(env, variant, name);
    const char *failure = "cannot be prepared";
    if (runner) {
        failure = run(engine, runner, jni_buffer_address(env, in), jni_buffer_address(env, out));
    }
    if (failure) {
        fail(env, failure, engine);
    }
}
