/* The few functions of TensorFlow Lite's C API (2.14) that the bridge calls. */
#ifndef EDGESR_TFLITE_SUBSET_H
#define EDGESR_TFLITE_SUBSET_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct TfLiteModel TfLiteModel;
typedef struct TfLiteDelegate TfLiteDelegate;
typedef struct TfLiteInterpreter TfLiteInterpreter;
typedef struct TfLiteInterpreterOptions TfLiteInterpreterOptions;
typedef struct TfLiteSignatureRunner TfLiteSignatureRunner;
typedef struct TfLiteTensor TfLiteTensor;
typedef void (*TfLiteReporter)(void *user_data, const char *format, va_list args);

enum { kTfLiteOk = 0, kTfLiteFloat32 = 1 };

/* Longer than the library's own structure, of which only the first field is touched here: what it gives by
 * default must come back to it whole. */
typedef struct {
    int32_t num_threads;
    uint32_t rest[63];
} TfLiteXNNPackDelegateOptions;

extern const char *TfLiteVersion(void);

extern TfLiteModel *TfLiteModelCreateWithErrorReporter(const void *data, size_t size, TfLiteReporter reporter,
                                                       void *user_data);
extern void TfLiteModelDelete(TfLiteModel *model);

extern TfLiteXNNPackDelegateOptions TfLiteXNNPackDelegateOptionsDefault(void);
extern TfLiteDelegate *TfLiteXNNPackDelegateCreate(const TfLiteXNNPackDelegateOptions *options);
extern void TfLiteXNNPackDelegateDelete(TfLiteDelegate *delegate);

extern TfLiteInterpreterOptions *TfLiteInterpreterOptionsCreate(void);
extern void TfLiteInterpreterOptionsDelete(TfLiteInterpreterOptions *options);
extern void TfLiteInterpreterOptionsSetNumThreads(TfLiteInterpreterOptions *options, int32_t threads);
extern void TfLiteInterpreterOptionsAddDelegate(TfLiteInterpreterOptions *options, TfLiteDelegate *delegate);
extern void TfLiteInterpreterOptionsSetErrorReporter(TfLiteInterpreterOptions *options, TfLiteReporter reporter,
                                                     void *user_data);

extern TfLiteInterpreter *TfLiteInterpreterCreate(const TfLiteModel *model,
                                                  const TfLiteInterpreterOptions *options);
extern void TfLiteInterpreterDelete(TfLiteInterpreter *interpreter);

extern TfLiteSignatureRunner *TfLiteInterpreterGetSignatureRunner(const TfLiteInterpreter *interpreter,
                                                                  const char *signature);
extern void TfLiteSignatureRunnerDelete(TfLiteSignatureRunner *runner);
extern int TfLiteSignatureRunnerAllocateTensors(TfLiteSignatureRunner *runner);
extern int TfLiteSignatureRunnerInvoke(TfLiteSignatureRunner *runner);
extern TfLiteTensor *TfLiteSignatureRunnerGetInputTensor(TfLiteSignatureRunner *runner, const char *name);
extern const TfLiteTensor *TfLiteSignatureRunnerGetOutputTensor(const TfLiteSignatureRunner *runner,
                                                                const char *name);

extern int TfLiteTensorType(const TfLiteTensor *tensor);
extern int32_t TfLiteTensorNumDims(const TfLiteTensor *tensor);
extern int32_t TfLiteTensorDim(const TfLiteTensor *tensor, int32_t axis);
extern int TfLiteTensorCopyFromBuffer(TfLiteTensor *tensor, const void *data, size_t bytes);
extern int TfLiteTensorCopyToBuffer(const TfLiteTensor *tensor, void *data, size_t bytes);

#endif
