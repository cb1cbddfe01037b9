package layerwise.bench.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigFileTest {
    @TempDir
    Path home;

    @BeforeEach
    void ship() throws IOException {
        Files.createDirectories(home.resolve("configs"));
        Files.writeString(home.resolve("configs/shipped.yaml"), "");
    }

    @Test
    void findsShippedFilesByBareNameAndByPathBelowTheInstallation() {
        Path shipped = home.resolve("configs/shipped.yaml");

        assertEquals(shipped, ConfigFile.locate("shipped.yaml", Optional.of(home)));
        assertEquals(shipped, ConfigFile.locate("configs/shipped.yaml", Optional.of(home)));
    }

    @Test
    void prefersTheFileThatIsThere() {
        Path here = Path.of("pom.xml");

        assertEquals(here, ConfigFile.locate("pom.xml", Optional.of(home)));
    }

    @Test
    void doesNotLookForAbsoluteNamesElsewhere() {
        assertThrows(ConfigException.class, () -> ConfigFile.locate("/shipped.yaml", Optional.of(home)));
    }

    @Test
    void refusesNamesThatAreNoFilesWhereNothingIsInstalled() {
        for (String name : new String[] {"", "a\u0000b", "shipped.yaml", "."}) {
            assertThrows(ConfigException.class, () -> ConfigFile.locate(name, Optional.empty()), name);
        }
    }
}
