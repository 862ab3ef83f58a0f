"""The two apps that can be built from the same sources: one for each engine."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgesr.errors import UserError


@dataclass(frozen=True)
class Flavour:
    """What differs between them.

    Attributes:
        name: also that of `edgesr convert --target`, and of the folder with the flavour's own sources.
        suffix: of the program files that it runs.
        package: the app's identity on a phone, so that both can be installed.
        refused: containers of layers that its engine runs slowly, and with other values than were measured.
        libraries: native ones that `edgesr devices setup android-libs` brings.
        bridges: native ones that the Java runtime's build makes.
        jars: Java classes that the runtime's build makes.
        foreign_jars: Java classes that `android-libs` brings.
        unused: classes in the foreign jars that nothing in the app comes to, and annotations: whatever else
            they would need is left out.
    """

    name: str
    suffix: str
    package: str
    libraries: tuple[str, ...]
    refused: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    jars: tuple[str, ...] = ("edgesr-runtime.jar",)
    foreign_jars: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


FLAVOURS = {
    flavour.name: flavour
    for flavour in (
        Flavour(
            "tflite", ".tflite", "dev.edgesr.demo",
            libraries=("libtensorflowlite_jni.so",),
            refused=("int8-dynamic",),  # XNNPACK takes them from later versions on
            bridges=("libedgesr_jni.so",),
        ),
        Flavour(
            "executorch", ".pte", "dev.edgesr.demo.executorch",
            libraries=("libexecutorch.so", "libfbjni.so", "libc++_shared.so"),
            jars=("edgesr-runtime.jar", "edgesr-executorch.jar"),
            foreign_jars=("classes.jar",),
            unused=("org.pytorch.executorch.extension.**", "com.facebook.jni.annotations.*"),
        ),
    )
}  # fmt: skip


def flavour_of(arguments: Sequence[str]) -> Flavour:
    """The one that a command line names first.

    Raises:
        UserError: it names none.
    """
    if not arguments or arguments[0] not in FLAVOURS:
        raise UserError(f"give {' or '.join(FLAVOURS)}, and program files if you like")
    return FLAVOURS[arguments[0]]
