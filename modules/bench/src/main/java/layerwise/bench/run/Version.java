package layerwise.bench.run;

import java.lang.module.ModuleDescriptor;
import java.util.Optional;

/** This program's version. */
public final class Version {
    private Version() {}

    /** As the module says it; a build of classes alone has none. */
    public static String current() {
        return Optional.ofNullable(Version.class.getModule().getDescriptor())
                .flatMap(ModuleDescriptor::rawVersion)
                .orElse("development");
    }
}
